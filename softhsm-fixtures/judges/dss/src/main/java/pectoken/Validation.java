// SPDX-License-Identifier: Apache-2.0

package pectoken;

import eu.europa.esig.dss.enumerations.Level;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.policy.ValidationPolicy;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.validation.PDFDocumentValidator;
import eu.europa.esig.dss.policy.EtsiValidationPolicy;
import eu.europa.esig.dss.policy.ValidationPolicyFacade;
import eu.europa.esig.dss.policy.jaxb.BasicSignatureConstraints;
import eu.europa.esig.dss.policy.jaxb.CertificateConstraints;
import eu.europa.esig.dss.policy.jaxb.ConstraintsParameters;
import eu.europa.esig.dss.policy.jaxb.LevelConstraint;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;

/** Validation, by the policy of DSS but for revocation where it is not demanded, and without the network. */
final class Validation {
    private static final ValidationPolicy POLICY = policy(false);
    private static final ValidationPolicy REVOCATION_POLICY = policy(true);

    private Validation() {}

    static List<Finding> of(Judge.Request request) throws Exception {
        var validator = SignedDocumentValidator.fromDocument(new FileDocument(request.file()));
        validator.setCertificateVerifier(verifier(request.trust(), request.crls()));
        if (request.content() != null) {
            validator.setDetachedContents(List.of(new FileDocument(request.content())));
        }
        if (request.password() != null && validator instanceof PDFDocumentValidator pdf) {
            pdf.setPasswordProtection(request.password().toCharArray());
        }
        Reports reports = validator.validateDocument(request.revocation() ? REVOCATION_POLICY : POLICY);
        return reports.getDiagnosticData().getSignatures().stream()
                .map(signature -> Finding.of(signature, reports.getSimpleReport()))
                .toList();
    }

    /** A verifier that trusts the certificates of a PEM file, knows some revocation lists, and fetches nothing. */
    static CommonCertificateVerifier verifier(String trust, List<String> lists) throws IOException, CertificateException {
        var verifier = new CommonCertificateVerifier();
        verifier.setAIASource(null);
        verifier.setOcspSource(null);
        verifier.setCrlSource(lists == null ? null : revocationLists(lists));
        var trusted = new CommonTrustedCertificateSource();
        if (trust != null) {
            for (var certificate : certificates(trust)) {
                trusted.addCertificate(certificate);
            }
        }
        verifier.setTrustedCertSources(trusted);
        return verifier;
    }

    private static ExternalResourcesCRLSource revocationLists(List<String> files) {
        return new ExternalResourcesCRLSource(files.stream().map(FileDocument::new).toArray(DSSDocument[]::new));
    }

    private static List<CertificateToken> certificates(String file) throws IOException, CertificateException {
        try (InputStream in = new FileInputStream(file)) {
            return CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
                    .map(certificate -> new CertificateToken((X509Certificate) certificate))
                    .toList();
        }
    }

    /**
     * The policy of DSS, with or without its demand for revocation data: a signature of level B has none, and there is
     * no network to get it from.
     */
    private static ValidationPolicy policy(boolean revocation) {
        try (InputStream in = EtsiValidationPolicy.class.getResourceAsStream("/policy/constraint.xml")) {
            ConstraintsParameters constraints = ValidationPolicyFacade.newFacade().unmarshall(in);
            if (!revocation) {
                leaveOutRevocation(constraints.getSignatureConstraints().getBasicSignatureConstraints());
                leaveOutRevocation(constraints.getCounterSignatureConstraints().getBasicSignatureConstraints());
                leaveOutRevocation(constraints.getTimestamp().getBasicSignatureConstraints());
            }
            return new EtsiValidationPolicy(constraints);
        } catch (Exception e) {
            throw new IllegalStateException("reading the policy of DSS", e);
        }
    }

    private static void leaveOutRevocation(BasicSignatureConstraints constraints) {
        for (var certificate : new CertificateConstraints[] {constraints.getSigningCertificate(), constraints.getCACertificate()}) {
            certificate.setRevocationDataAvailable(ignored());
            certificate.setAcceptableRevocationDataFound(ignored());
        }
    }

    private static LevelConstraint ignored() {
        var constraint = new LevelConstraint();
        constraint.setLevel(Level.IGNORE);
        return constraint;
    }
}
