import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.UUID;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Store.CloseableResource;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * An extension for JUnit 5 that starts one refund gateway for the run, without a container, and
 * hands it to tests as a parameter. Tests that run in parallel take an account each.
 */
public class RefundGateway implements BeforeAllCallback, ParameterResolver {
    private static final String SOAP =
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\""
                    + " xmlns:api=\"http://api.zuora.com/\""
                    + " xmlns:obj=\"http://object.api.zuora.com/\""
                    + " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">"
                    + "<s:Header>%s</s:Header><s:Body>%s</s:Body></s:Envelope>";

    @Override
    public void beforeAll(ExtensionContext context) {
        running(context);
    }

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
        return parameter.getParameter().getType() == Running.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
        return running(context);
    }

    private static Running running(ExtensionContext context) {
        // What the root's store holds is closed once all tests have ended.
        return context.getRoot()
                .getStore(ExtensionContext.Namespace.create(RefundGateway.class))
                .getOrComputeIfAbsent(Running.class, key -> Running.start(), Running.class);
    }

    /** A gateway that runs, on a test ledger that is gone when it ends. */
    public static final class Running implements CloseableResource {
        private final Process process;
        private final String token;
        private final HttpClient client = HttpClient.newHttpClient();
        private final String url;
        private final String adminUrl;

        private Running(Process process, String token, String url, String adminUrl) {
            this.process = process;
            this.token = token;
            this.url = url;
            this.adminUrl = adminUrl;
        }

        static Running start() {
            String given = System.getenv("REFUND_GATEWAY");
            String program = given == null ? "refund-gateway" : given;
            String token = UUID.randomUUID().toString();
            ProcessBuilder builder =
                    new ProcessBuilder(
                            program, "serve", "--demo", "--listen", "127.0.0.1:0", "--ledger",
                            ":memory:");
            builder.environment().put("REFUND_GATEWAY_ADMIN_TOKEN", token);
            builder.redirectError(ProcessBuilder.Redirect.DISCARD);
            try {
                Process process = builder.start();
                BufferedReader lines =
                        new BufferedReader(new InputStreamReader(process.getInputStream()));
                // Two lines come once it accepts connections.
                String url = address(lines.readLine(), "listening on ");
                String adminUrl = address(lines.readLine(), "admin on ");
                return new Running(process, token, url, adminUrl);
            } catch (IOException error) {
                throw new IllegalStateException("the gateway did not start", error);
            }
        }

        private static String address(String line, String start) {
            if (line == null || !line.startsWith(start)) {
                throw new IllegalStateException("the gateway did not start: " + line);
            }
            return line.substring(start.length());
        }

        /** The base URL, which the program under test is given. */
        public String url() {
            return url;
        }

        /** The answer to a SOAP call; faults are answers too. */
        public String soap(String header, String body) throws Exception {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(url + "/apps/services/a/91.0"))
                            .header("Content-Type", "text/xml; charset=utf-8")
                            .POST(HttpRequest.BodyPublishers.ofString(
                                    String.format(SOAP, header, body)))
                            .build();
            return client.send(request, HttpResponse.BodyHandlers.ofString()).body();
        }

        /** What the admin API answers, which has to be 200. */
        public String admin(String method, String path, String json) throws Exception {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(adminUrl + "/api/v1/" + path))
                            .header("Authorization", "Bearer " + token)
                            .header("Content-Type", "application/json")
                            .method(method, HttpRequest.BodyPublishers.ofString(json))
                            .build();
            HttpResponse<String> answer =
                    client.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() != 200) {
                throw new AssertionError(answer.statusCode() + ": " + answer.body());
            }
            return answer.body();
        }

        /** A new account with this credit balance, by its id. */
        public String addAccount(String creditBalance) throws Exception {
            String id = UUID.randomUUID().toString().replace("-", "");
            String toml =
                    "[[account]]\\nid = '" + id + "'\\nnumber = 'A-" + id.substring(0, 12)
                            + "'\\nname = 'A test'\\ncurrency = 'USD'\\ncredit_balance = '"
                            + creditBalance + "'\\n";
            admin("POST", "seed", "{\"toml\":\"" + toml + "\"}");
            return id;
        }

        @Override
        public void close() throws Exception {
            process.destroy();
            process.waitFor();
        }
    }
}
