// SPDX-License-Identifier: Apache-2.0

package pectoken;

import eu.europa.esig.dss.cades.CAdESSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESCounterSignatureParameters;
import eu.europa.esig.dss.cades.signature.CAdESService;
import eu.europa.esig.dss.enumerations.CertificationPermission;
import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.EncryptionAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.enumerations.SignaturePackaging;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.ToBeSigned;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.signature.AbstractSignatureParameters;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.tsp.TSPSource;
import eu.europa.esig.dss.token.DSSPrivateKeyEntry;
import eu.europa.esig.dss.token.Pkcs12SignatureToken;
import java.io.IOException;
import java.security.KeyStore.PasswordProtection;
import java.security.cert.CertificateException;
import java.util.List;

/** Signing with the one key of a PKCS#12 file. */
final class Signing implements AutoCloseable {
    private final Judge.Request request;
    private final Pkcs12SignatureToken token;
    private final DSSPrivateKeyEntry key;

    private Signing(Judge.Request request) throws IOException {
        this.request = request;
        this.token = new Pkcs12SignatureToken(request.pkcs12(), new PasswordProtection(request.pkcs12Password().toCharArray()));
        this.key = token.getKeys().get(0);
    }

    @Override
    public void close() {
        token.close();
    }

    /** Signs a file, or adds a signer to one that is signed already. */
    static void cades(Judge.Request request) throws Exception {
        try (var signing = new Signing(request)) {
            var parameters = signing.cadesParameters(new CAdESSignatureParameters());
            parameters.setParallelSignature(request.parallel());
            parameters.setSignatureLevel(signing.level("CAdES"));
            var service = new CAdESService(signing.verifier());
            service.setTspSource(signing.authority());
            var document = new FileDocument(request.file());
            var value = signing.sign(service.getDataToSign(document, parameters));
            signing.save(service.signDocument(document, parameters, value));
        }
    }

    /** Signs the signature of another. */
    static void counter(Judge.Request request) throws Exception {
        try (var signing = new Signing(request)) {
            var parameters = signing.cadesParameters(new CAdESCounterSignatureParameters());
            parameters.setSignatureIdToCounterSign(request.counterSigns());
            var service = new CAdESService(signing.verifier());
            var document = new FileDocument(request.file());
            var value = signing.sign(service.getDataToBeCounterSigned(document, parameters));
            signing.save(service.counterSignSignature(document, parameters, value));
        }
    }

    /** Signs a PDF, in a field of its own. */
    static void pades(Judge.Request request) throws Exception {
        try (var signing = new Signing(request)) {
            var parameters = signing.fill(new PAdESSignatureParameters());
            parameters.setSignatureLevel(signing.level("PAdES"));
            if (request.certify() != 0) {
                parameters.setPermission(CertificationPermission.fromCode(request.certify()));
            }
            if (request.field() != null) {
                parameters.getImageParameters().getFieldParameters().setFieldId(request.field());
            }
            var service = new PAdESService(signing.verifier());
            service.setTspSource(signing.authority());
            var document = new FileDocument(request.file());
            var value = signing.sign(service.getDataToSign(document, parameters));
            signing.save(service.signDocument(document, parameters, value));
        }
    }

    private <P extends CAdESSignatureParameters> P cadesParameters(P parameters) {
        fill(parameters);
        parameters.setSignatureLevel(SignatureLevel.CAdES_BASELINE_B);
        parameters.setSignaturePackaging(request.detached() ? SignaturePackaging.DETACHED : SignaturePackaging.ENVELOPING);
        if (request.content() != null) {
            parameters.setDetachedContents(List.<DSSDocument>of(new FileDocument(request.content())));
        }
        return parameters;
    }

    /** Says who signs, and by what algorithms. */
    private <P extends AbstractSignatureParameters<?>> P fill(P parameters) {
        parameters.setSigningCertificate(key.getCertificate());
        parameters.setCertificateChain(key.getCertificateChain());
        parameters.setDigestAlgorithm(digest());
        parameters.setEncryptionAlgorithm(encryption());
        return parameters;
    }

    private SignatureLevel level(String format) {
        return SignatureLevel.valueByName(format + "-BASELINE-" + (request.level() == null ? "B" : request.level()));
    }

    /** What a level needs to collect validation data. */
    private CommonCertificateVerifier verifier() throws IOException, CertificateException {
        return Validation.verifier(request.trust(), request.crls());
    }

    private TSPSource authority() {
        return request.tsa() == null ? null : new Authority(request.tsa());
    }

    private DigestAlgorithm digest() {
        return DigestAlgorithm.valueOf(request.digest().toUpperCase());
    }

    private EncryptionAlgorithm encryption() {
        return request.pss() ? EncryptionAlgorithm.RSASSA_PSS : key.getEncryptionAlgorithm();
    }

    private SignatureValue sign(ToBeSigned data) {
        return token.sign(data, SignatureAlgorithm.getAlgorithm(encryption(), digest()), key);
    }

    private void save(DSSDocument document) throws IOException {
        document.save(request.output());
    }
}
