// .NET's proxies of the 2.0 shape (wsdl.exe, SoapHttpClientProtocol), here by Mono.
//
// Known for: `Expect: 100-continue` on every post, and xsi:nil="true" for every text and list that
// was not set, read-only ones too.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Web.Services.Protocols;
using Zuora;

class Client
{
    static string step = "load";

    static void Done(string now)
    {
        Console.WriteLine("ok " + step);
        step = now;
    }

    static void Expect(bool isSo, object what)
    {
        if (!isSo) throw new Exception(Convert.ToString(what));
    }

    static string Setting(string name)
    {
        return Environment.GetEnvironmentVariable("INTEROP_" + name);
    }

    static Refund External(decimal amount)
    {
        return new Refund {
            AccountId = Setting("ACCOUNT"), Amount = amount, AmountSpecified = true,
            MethodType = "Check", SourceType = "CreditBalance", Type = "External",
        };
    }

    static void Use(ZuoraService service, string session)
    {
        service.SessionHeaderValue = new SessionHeader { session = session };
    }

    static void Run()
    {
        var service = new ZuoraService { Timeout = 30000 };
        Done("login");
        var login = service.login(Setting("USERNAME"), Setting("PASSWORD"));
        Use(service, login.Session);
        Done("session");
        var user = service.getUserInfo(new getUserInfo());
        Expect(user.Username == Setting("USERNAME"), user.Username);
        Done("external");
        var made = service.create(new zObject[] { External(10.50m) })[0];
        Expect(made.Success && made.Errors == null && made.Id.Length == 32, made.Id);
        Done("electronic");
        var electronic = new Refund {
            AccountId = Setting("ACCOUNT"), Amount = 10.25m, AmountSpecified = true,
            PaymentMethodId = Setting("METHOD"), SourceType = "CreditBalance", Type = "Electronic",
        };
        Expect(service.create(new zObject[] { electronic })[0].Success, "not paid");
        Done("row-error");
        var refused = service.create(new zObject[] { new Refund() })[0];
        Expect(!refused.Success && refused.Id == null, refused.Id);
        Expect(refused.Errors[0].Code == ErrorCode.MISSING_REQUIRED_VALUE, refused.Errors[0].Code);
        Done("fault");
        Use(service, "none");
        try {
            service.create(new zObject[] { External(1m) });
            throw new Exception("no fault");
        } catch (SoapException fault) {
            Expect(fault.Code.Name == "INVALID_SESSION", fault.Code);
            Expect(fault.Code.Namespace == "http://fault.api.zuora.com/", fault.Code);
            Expect(fault.Detail.FirstChild.LocalName == "UnexpectedErrorFault", fault.Detail);
        }
        Use(service, login.Session);
        Done("query");
        var query = "select Id, Amount, SourceType from Refund where Id = '" + made.Id + "'";
        var found = service.query(query);
        Expect(found.size == 1 && found.done, found.size);
        Expect(((Refund) found.records[0]).Amount == 10.50m, found.records[0]);
        Done("batch");
        var objects = Enumerable.Range(0, 50).Select(row => External(1.00m)).ToArray<zObject>();
        var ids = new HashSet<string>(
            service.create(objects).Where(row => row.Success).Select(row => row.Id));
        Expect(ids.Count == 50, ids.Count);
        Done("");
    }

    static int Main()
    {
        try {
            Run();
            return 0;
        } catch (Exception error) {
            Console.WriteLine("FAILED " + step + ": " + error.ToString().Replace("\n", " "));
            return 1;
        }
    }
}
