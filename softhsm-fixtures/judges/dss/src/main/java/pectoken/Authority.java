// SPDX-License-Identifier: Apache-2.0

package pectoken;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.model.DSSException;
import eu.europa.esig.dss.model.TimestampBinary;
import eu.europa.esig.dss.spi.x509.tsp.TSPSource;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.SecureRandom;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;

/** A time-stamp authority at an address: that of DSS comes with a module that nothing else needs. */
record Authority(String address) implements TSPSource {
    @Override
    public TimestampBinary getTimeStampResponse(DigestAlgorithm algorithm, byte[] digest) {
        try {
            var generator = new TimeStampRequestGenerator();
            generator.setCertReq(true);
            var nonce = new BigInteger(64, new SecureRandom());
            var question = generator.generate(new ASN1ObjectIdentifier(algorithm.getOid()), digest, nonce);
            var request = HttpRequest.newBuilder(URI.create(address))
                    .header("Content-Type", "application/timestamp-query")
                    .POST(HttpRequest.BodyPublishers.ofByteArray(question.getEncoded()))
                    .build();
            var said = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofByteArray());
            var answer = new TimeStampResponse(said.body());
            answer.validate(question);
            return new TimestampBinary(answer.getTimeStampToken().getEncoded());
        } catch (Exception e) {
            throw new DSSException("asking the time-stamp authority: " + e.getMessage(), e);
        }
    }
}
