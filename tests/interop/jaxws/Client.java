// Java's JAX-WS (the reference implementation 2.3) with wsimport's proxies.
//
// Known for: xsi:nil="true" for every field that was not set, dates and numbers too, the WSDL read
// again at run time over the connection that the calls go over, and text/xml or nothing.

import com.sun.xml.ws.api.message.Headers;
import com.sun.xml.ws.developer.JAXWSProperties;
import com.sun.xml.ws.developer.WSBindingProvider;
import com.zuora.api.ErrorCode;
import com.zuora.api.QueryResult;
import com.zuora.api.SaveResult;
import com.zuora.api.SessionHeader;
import com.zuora.api.Soap;
import com.zuora.api.UnexpectedErrorFault;
import com.zuora.api.ZuoraService;
import com.zuora.api.object.Refund;
import com.zuora.api.object.ZObject;
import java.math.BigDecimal;
import java.net.URL;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.xml.bind.JAXBContext;
import javax.xml.ws.Holder;

public class Client {
    private static String step = "load";

    private static void done(String now) {
        System.out.println("ok " + step);
        step = now;
    }

    private static void expect(boolean isSo, Object what) {
        if (!isSo) {
            throw new IllegalStateException(String.valueOf(what));
        }
    }

    private static String setting(String name) {
        return System.getenv("INTEROP_" + name);
    }

    private static Refund external(String amount) {
        Refund refund = new Refund();
        refund.setAccountId(setting("ACCOUNT"));
        refund.setAmount(new BigDecimal(amount));
        refund.setMethodType("Check");
        refund.setSourceType("CreditBalance");
        refund.setType("External");
        return refund;
    }

    private static void use(Soap soap, String session) throws Exception {
        SessionHeader header = new SessionHeader();
        header.setSession(session);
        JAXBContext context = JAXBContext.newInstance(SessionHeader.class);
        ((WSBindingProvider) soap).setOutboundHeaders(
            Headers.create((com.sun.xml.bind.api.JAXBRIContext) context, header));
    }

    private static void run() throws Exception {
        Soap soap = new ZuoraService(new URL(setting("WSDL"))).getSoap();
        ((WSBindingProvider) soap).getRequestContext().put(JAXWSProperties.REQUEST_TIMEOUT, 30_000);
        done("login");
        String session = soap.login(setting("USERNAME"), setting("PASSWORD")).getSession();
        use(soap, session);
        done("session");
        Holder<String> username = new Holder<>();
        soap.getUserInfo(new Holder<>(), new Holder<>(), new Holder<>(), new Holder<>(),
            new Holder<>(), username);
        expect(setting("USERNAME").equals(username.value), username.value);
        done("external");
        SaveResult made = soap.create(List.of(external("10.50"))).get(0);
        expect(made.isSuccess() && made.getErrors().isEmpty(), made.getId());
        expect(made.getId().length() == 32, made.getId());
        done("electronic");
        Refund electronic = external("10.25");
        electronic.setMethodType(null);
        electronic.setType("Electronic");
        electronic.setPaymentMethodId(setting("METHOD"));
        expect(soap.create(List.of(electronic)).get(0).isSuccess(), "not paid");
        done("row-error");
        SaveResult refused = soap.create(List.of(new Refund())).get(0);
        expect(!refused.isSuccess() && refused.getId() == null, refused.getId());
        ErrorCode code = refused.getErrors().get(0).getCode();
        expect(code == ErrorCode.MISSING_REQUIRED_VALUE, code);
        done("fault");
        use(soap, "none");
        try {
            soap.create(List.of(external("1")));
            throw new IllegalStateException("no fault");
        } catch (UnexpectedErrorFault fault) {
            ErrorCode told = fault.getFaultInfo().getFaultCode();
            expect(told == ErrorCode.INVALID_SESSION, told);
        }
        use(soap, session);
        done("query");
        String query = "select Id, Amount, SourceType from Refund where Id = '%s'";
        QueryResult found = soap.query(String.format(query, made.getId()));
        expect(found.getSize() == 1 && found.isDone(), found.getSize());
        BigDecimal amount = ((Refund) found.getRecords().get(0)).getAmount();
        expect(amount.compareTo(new BigDecimal("10.5")) == 0, amount);
        done("batch");
        List<ZObject> objects = Collections.nCopies(50, external("1.00"));
        Set<String> ids = new HashSet<>();
        for (SaveResult row : soap.create(objects)) {
            if (row.isSuccess()) {
                ids.add(row.getId());
            }
        }
        expect(ids.size() == 50, ids.size());
        done("");
    }

    public static void main(String[] arguments) {
        try {
            run();
        } catch (Throwable error) {
            System.out.println("FAILED " + step + ": " + error.toString().replace("\n", " "));
            System.exit(1);
        }
    }
}
