// SPDX-License-Identifier: Apache-2.0

package pectoken;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.annotations.SerializedName;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import java.util.logging.LogManager;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.results.TestAssertion;

/**
 * veraPDF as a judge: reads one request a line, a JSON object, from standard input, and writes one answer a line to
 * standard output.
 *
 * <pre>{"do": "validate", "file": "a.pdf"}</pre>
 *
 * The file is held against the standard that it claims to follow. The answer has "refused", with the words of veraPDF,
 * when it could not be read.
 */
public final class Judge {
    record Request(@SerializedName("do") String verb, String file) {}

    /** What veraPDF found: the flavour, such as 2b or ua1, and each rule that is broken, once for each place. */
    record Answer(String version, String flavour, List<String> broken, String refused) {}

    private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().create();

    /** There is a rule for each glyph of a text. */
    private static final int MOST = 20;

    private Judge() {}

    public static void main(String[] args) throws IOException {
        PrintStream answers = System.out;
        // Whatever a library prints must not be taken for an answer.
        System.setOut(System.err);
        LogManager.getLogManager().reset();
        VeraGreenfieldFoundryProvider.initialise();
        var requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            answers.write((GSON.toJson(answer(line)) + "\n").getBytes(StandardCharsets.UTF_8));
            answers.flush();
        }
    }

    private static Answer answer(String line) {
        try {
            Request request = GSON.fromJson(line, Request.class);
            switch (request.verb()) {
                case "version":
                    return new Answer(version(), null, null, null);
                case "validate":
                    return validate(new File(request.file()));
                default:
                    throw new IllegalArgumentException("nothing is called " + request.verb());
            }
        } catch (Exception | Error e) {
            return new Answer(null, null, null, e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    private static Answer validate(File file) throws Exception {
        var foundry = Foundries.defaultInstance();
        try (var parser = foundry.createParser(file);
                var validator = foundry.createValidator(parser.getFlavour(), false)) {
            var result = validator.validate(parser);
            List<String> broken = result.getTestAssertions().stream()
                    .filter(test -> test.getStatus() == TestAssertion.Status.FAILED)
                    .limit(MOST)
                    .map(Judge::words)
                    .toList();
            if (broken.isEmpty() && !result.isCompliant()) {
                throw new IllegalStateException("not compliant, and no rule is broken");
            }
            return new Answer(null, parser.getFlavour().getId(), broken, null);
        }
    }

    private static String words(TestAssertion test) {
        var rule = test.getRuleId();
        return rule.getClause() + "-" + rule.getTestNumber() + " " + test.getMessage() + " (" + test.getLocation().getContext() + ")";
    }

    private static String version() throws IOException {
        var properties = new Properties();
        try (InputStream in = Judge.class.getResourceAsStream("/META-INF/maven/org.verapdf/validation-model/pom.properties")) {
            properties.load(in);
        }
        return properties.getProperty("version");
    }
}
