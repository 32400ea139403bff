// SPDX-License-Identifier: Apache-2.0

package cms

import "encoding/asn1"

// Object identifiers, by the name their standard gives them.
var (
	oidData       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} // RFC 5652, section 4
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} // RFC 5652, section 5.1

	oidContentType          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}         // RFC 5652, section 11.1
	oidMessageDigest        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}         // RFC 5652, section 11.2
	oidSigningTime          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}         // RFC 5652, section 11.3
	oidCounterSignature     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 6}         // RFC 5652, section 11.4
	oidAlgorithmProtection  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 52}        // RFC 6211, section 2
	oidSigningCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12} // RFC 2634, section 5.4
	oidSigningCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47} // RFC 5035, section 3

	oidContentHints       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 4}  // RFC 2634, section 2.9
	oidCommitmentType     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 16} // EN 319 122-1, clause 5.2.3
	oidSignerLocation     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 17} // EN 319 122-1, clause 5.2.5
	oidSignerAttributesV2 = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 1}               // EN 319 122-1, clause 5.2.6.1
	oidMimeType           = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 1}                // EN 319 122-1, clause 5.2.4.2
	oidTitle              = asn1.ObjectIdentifier{2, 5, 4, 12}                        // X.520

	oidContentTimestamp   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 20} // EN 319 122-1, clause 5.2.8
	oidSignatureTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14} // EN 319 122-1, clause 5.3
	oidArchiveTimestampV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 48} // EN 319 122-2, annex A.2.4
	oidArchiveTimestampV3 = asn1.ObjectIdentifier{0, 4, 0, 1733, 2, 4}                // EN 319 122-1, clause 5.5.3
	oidHashIndexV3        = asn1.ObjectIdentifier{0, 4, 0, 19122, 1, 5}               // EN 319 122-1, clause 5.5.2
	oidRevocationValues   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 24} // EN 319 122-1, annex A.1.2.2
	oidCertificateValues  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 23} // EN 319 122-1, annex A.1.1.2
	oidOCSPResponse       = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2}         // RFC 5940, section 2.1
	oidOCSPBasic          = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}      // RFC 6960, section 4.2.1

	oidMD5      = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5}
	oidSHA1     = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA224   = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 4}
	oidSHA256   = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384   = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512   = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidSHA3_224 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 7}
	oidSHA3_256 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 8}
	oidSHA3_384 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 9}
	oidSHA3_512 = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 10}

	oidMGF1          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	oidRSAEncryption = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSASSAPSS     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidECPublicKey   = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidEd25519       = asn1.ObjectIdentifier{1, 3, 101, 112}
)
