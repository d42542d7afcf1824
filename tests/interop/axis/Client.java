// Java Axis 1.4 with generated stubs, the Java stack of 2006.
//
// Known for: HTTP/1.0 with a connection for each call, a session header with actor and
// mustUnderstand="0", exceptions of a type that the fault's detail decides, and codes that must be
// in the schema's enumeration.

import com.zuora.api.ErrorCode;
import com.zuora.api.QueryResult;
import com.zuora.api.SaveResult;
import com.zuora.api.SoapBindingStub;
import com.zuora.api.ZuoraServiceLocator;
import com.zuora.api.fault.UnexpectedErrorFault;
import com.zuora.api.object.Refund;
import com.zuora.api.object.ZObject;
import java.math.BigDecimal;
import java.util.HashSet;
import java.util.Set;
import javax.xml.rpc.holders.StringHolder;
import javax.xml.soap.SOAPException;
import org.apache.axis.message.SOAPHeaderElement;

public class Client {
    private static final String API = "http://api.zuora.com/";
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

    private static void use(SoapBindingStub stub, String session) throws SOAPException {
        SOAPHeaderElement header = new SOAPHeaderElement(API, "SessionHeader");
        header.addChildElement("session", "ns1", API).addTextNode(session);
        stub.clearHeaders();
        stub.setHeader(header);
    }

    private static void run() throws Exception {
        SoapBindingStub stub = (SoapBindingStub) new ZuoraServiceLocator().getSoap();
        stub.setTimeout(30_000);
        done("login");
        String session = stub.login(setting("USERNAME"), setting("PASSWORD")).getSession();
        use(stub, session);
        done("session");
        StringHolder username = new StringHolder();
        stub.getUserInfo(new StringHolder(), new StringHolder(), new StringHolder(),
            new StringHolder(), new StringHolder(), username);
        expect(setting("USERNAME").equals(username.value), username.value);
        done("external");
        SaveResult made = stub.create(new ZObject[] {external("10.50")})[0];
        expect(made.getSuccess() && made.getErrors() == null, made.getId());
        expect(made.getId().length() == 32, made.getId());
        done("electronic");
        Refund electronic = external("10.25");
        electronic.setMethodType(null);
        electronic.setType("Electronic");
        electronic.setPaymentMethodId(setting("METHOD"));
        expect(stub.create(new ZObject[] {electronic})[0].getSuccess(), "not paid");
        done("row-error");
        SaveResult refused = stub.create(new ZObject[] {new Refund()})[0];
        expect(!refused.getSuccess() && refused.getId() == null, refused.getId());
        ErrorCode code = refused.getErrors(0).getCode();
        expect(code == ErrorCode.MISSING_REQUIRED_VALUE, code);
        done("fault");
        use(stub, "none");
        try {
            stub.create(new ZObject[] {external("1")});
            throw new IllegalStateException("no fault");
        } catch (UnexpectedErrorFault fault) {
            expect("INVALID_SESSION".equals(fault.getFaultCode().getLocalPart()), fault);
            expect(fault.getFaultCode1() == ErrorCode.INVALID_SESSION, fault.getFaultCode1());
        }
        use(stub, session);
        done("query");
        String query = "select Id, Amount, SourceType from Refund where Id = '%s'";
        QueryResult found = stub.query(String.format(query, made.getId()));
        expect(found.getSize() == 1 && found.isDone(), found.getSize());
        BigDecimal amount = ((Refund) found.getRecords(0)).getAmount();
        expect(amount.compareTo(new BigDecimal("10.5")) == 0, amount);
        done("batch");
        ZObject[] objects = new ZObject[50];
        for (int row = 0; row < objects.length; row++) {
            objects[row] = external("1.00");
        }
        Set<String> ids = new HashSet<>();
        for (SaveResult row : stub.create(objects)) {
            if (row.getSuccess()) {
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
