import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** What tests with the extension look like; each has an account of its own, and may run beside others. */
@ExtendWith(RefundGateway.class)
@Execution(ExecutionMode.CONCURRENT)
class RefundsTest {
    @Test
    void aRefundIsMadeOnce(RefundGateway.Running gateway) throws Exception {
        String account = gateway.addAccount("100.00");
        String answer = refund(gateway, account, "10");
        assertTrue(answer.contains("Success>true<"), answer);
        String verified =
                gateway.admin(
                        "POST",
                        "journal/verify",
                        "{\"operation\":\"create\",\"account\":\"" + account
                                + "\",\"fields\":{\"Amount\":10},\"count\":1}");
        assertTrue(verified.contains("\"verified\":true"), verified);
    }

    @Test
    void moreThanThereIsIsRefused(RefundGateway.Running gateway) throws Exception {
        String answer = refund(gateway, gateway.addAccount("100.00"), "100.01");
        assertTrue(answer.contains("INVALID_VALUE"), answer);
    }

    private static String refund(RefundGateway.Running gateway, String account, String amount)
            throws Exception {
        String login =
                gateway.soap(
                        "",
                        "<api:login><api:username>demo@example.com</api:username>"
                                + "<api:password>demo</api:password></api:login>");
        Matcher session = Pattern.compile("Session>([^<]+)<").matcher(login);
        assertTrue(session.find(), login);
        return gateway.soap(
                "<api:SessionHeader><api:session>" + session.group(1)
                        + "</api:session></api:SessionHeader>",
                "<api:create><api:zObjects xsi:type=\"obj:Refund\"><obj:Type>External</obj:Type>"
                        + "<obj:SourceType>CreditBalance</obj:SourceType>"
                        + "<obj:MethodType>Check</obj:MethodType><obj:AccountId>" + account
                        + "</obj:AccountId><obj:Amount>" + amount
                        + "</obj:Amount></api:zObjects></api:create>");
    }
}
