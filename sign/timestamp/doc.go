// SPDX-License-Identifier: Apache-2.0

// Package timestamp asks for time stamps (marche temporali), reads them, and puts
// them into the files that Italy keeps them in.
//
// # Asking
//
// [Client.Stamp] asks time-stamp authorities (RFC 3161) for a token over a digest.
// A stamp costs money, so a request that may have been served is never sent again,
// and every error says whether a stamp may have been used up. The token that comes
// back was compared with the request, and its signature checked.
//
// # Reading
//
// [Parse] reads a bare token, [ParseResponse] the answer of an authority,
// [ReadToken] a .tsr or .tst file. [Token.Check] then states facts about its
// signature and certificate, [Token.Covers] about what it stamps. Whom to trust, and
// whether a certificate was revoked, is for package verify: a token without findings
// can be anybody's.
//
// # Containers
//
// [Read] reads a .tsd (RFC 5544) and a .m7m, streams the document in it past, and keeps
// the tokens; [Container.Link] says whether each stamps what it has to. [WriteTSD],
// [WriteM7M] and [AppendTSD] write them. The document can have any size.
//
// # Limits
//
// Evidence records (RFC 4998) are kept raw. Beside the limits of package cms: a
// TSTInfo, a dataUri and a metaData have 64 KiB at the most each, an authority's answer
// 1 MiB, a .tsd 100 tokens.
//
// A [Client] is safe for concurrent use; values of the other types may be shared
// between goroutines for reading.
package timestamp
