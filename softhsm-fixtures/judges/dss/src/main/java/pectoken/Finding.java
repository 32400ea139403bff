// SPDX-License-Identifier: Apache-2.0

package pectoken;

import eu.europa.esig.dss.diagnostic.CertificateWrapper;
import eu.europa.esig.dss.diagnostic.PDFRevisionWrapper;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.diagnostic.jaxb.XmlDigestMatcher;
import eu.europa.esig.dss.diagnostic.jaxb.XmlObjectModification;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.simplereport.SimpleReport;
import java.math.BigInteger;
import java.util.List;
import java.util.Objects;

/** What DSS finds of one signature. */
record Finding(
        String id,
        String counterSigns,
        String level,
        String indication,
        String subIndication,
        boolean found,
        boolean intact,
        boolean valid,
        boolean trusted,
        String signer,
        String subject,
        String algorithm,
        List<String> errors,
        List<String> warnings,
        PDF pdf) {

    /** What is particular to a signature in a PDF. */
    record PDF(
            String field,
            String subFilter,
            boolean byteRangeValid,
            boolean dictionaryConsistent,
            List<String> extensionChanges,
            List<String> formChanges,
            List<String> annotationChanges,
            List<String> undefinedChanges,
            List<BigInteger> overlapPages,
            List<BigInteger> differentPages,
            List<BigInteger> differentLooks) {

        static PDF of(PDFRevisionWrapper revision) {
            if (revision == null) {
                return null;
            }
            return new PDF(
                    revision.getFirstFieldName(),
                    revision.getSubFilter(),
                    revision.isSignatureByteRangeValid(),
                    revision.isPdfSignatureDictionaryConsistent(),
                    changes(revision.getPdfExtensionChanges()),
                    changes(revision.getPdfSignatureOrFormFillChanges()),
                    changes(revision.getPdfAnnotationChanges()),
                    changes(revision.getPdfUndefinedChanges()),
                    revision.getPdfAnnotationsOverlapConcernedPages(),
                    revision.getPdfPageDifferenceConcernedPages(),
                    revision.getPdfVisualDifferenceConcernedPages());
        }

        private static List<String> changes(List<XmlObjectModification> modifications) {
            return modifications.stream().map(m -> m.getAction() + " " + m.getValue()).toList();
        }
    }

    static Finding of(SignatureWrapper signature, SimpleReport report) {
        String id = signature.getId();
        CertificateWrapper certificate = signature.getSigningCertificate();
        List<XmlDigestMatcher> covered = signature.getDigestMatchers();
        return new Finding(
                id,
                signature.getParent() == null ? null : signature.getParent().getId(),
                text(signature.getSignatureFormat()),
                text(report.getIndication(id)),
                text(report.getSubIndication(id)),
                !covered.isEmpty() && covered.stream().allMatch(XmlDigestMatcher::isDataFound),
                !covered.isEmpty() && covered.stream().allMatch(XmlDigestMatcher::isDataIntact),
                signature.isSignatureIntact(),
                signature.isTrustedChain(),
                certificate == null ? null : certificate.getCommonName(),
                certificate == null ? null : certificate.getCertificateDN(),
                text(signature.getSignatureAlgorithm()),
                words(report.getAdESValidationErrors(id)),
                words(report.getAdESValidationWarnings(id)),
                PDF.of(signature.getPDFRevision()));
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }

    private static List<String> words(List<Message> messages) {
        return messages.stream().map(Message::getValue).filter(Objects::nonNull).toList();
    }
}
