// SPDX-License-Identifier: Apache-2.0

package pectoken;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.annotations.SerializedName;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;

/**
 * DSS as a judge: reads one request a line, a JSON object, from standard input, and writes one answer a line to
 * standard output.
 *
 * <pre>{"do": "validate", "file": "a.pdf", "trust": "root.pem"}</pre>
 *
 * The answer has "refused", with the words of DSS, when it could not do as asked.
 */
public final class Judge {
    /** A request. What it does not say is null, false or zero. */
    record Request(
            @SerializedName("do") String verb,
            String file,
            String content,
            String trust,
            String password,
            String output,
            String pkcs12,
            String pkcs12Password,
            String digest,
            boolean pss,
            boolean detached,
            boolean parallel,
            String counterSigns,
            String field,
            int certify,
            boolean revocation,
            List<String> crls,
            String level,
            String tsa) {}

    /** An answer, of which one part is there. */
    record Answer(String version, List<Finding> signatures, String refused) {
        static final Answer DONE = new Answer(null, null, null);

        static Answer found(List<Finding> signatures) {
            return new Answer(null, signatures, null);
        }
    }

    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    private Judge() {}

    public static void main(String[] args) throws IOException {
        PrintStream answers = System.out;
        // Whatever a library prints must not be taken for an answer.
        System.setOut(System.err);
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.write((GSON.toJson(answer(line)) + "\n").getBytes(StandardCharsets.UTF_8));
            answers.flush();
        }
    }

    private static Answer answer(String line) {
        try {
            return act(GSON.fromJson(line, Request.class));
        } catch (Exception | Error e) {
            // Whatever a hostile file provokes is an answer, too.
            return new Answer(null, null, e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    private static Answer act(Request request) throws Exception {
        switch (request.verb()) {
            case "version":
                return new Answer(version(), null, null);
            case "validate":
                return Answer.found(Validation.of(request));
            case "sign-cms":
                Signing.cades(request);
                return Answer.DONE;
            case "counter-sign-cms":
                Signing.counter(request);
                return Answer.DONE;
            case "sign-pdf":
                Signing.pades(request);
                return Answer.DONE;
            default:
                throw new IllegalArgumentException("nothing is called " + request.verb());
        }
    }

    private static String version() throws IOException {
        var properties = new Properties();
        String name = "/META-INF/maven/eu.europa.ec.joinup.sd-dss/dss-validation/pom.properties";
        try (InputStream in = SignedDocumentValidator.class.getResourceAsStream(name)) {
            properties.load(in);
        }
        return properties.getProperty("version");
    }
}
