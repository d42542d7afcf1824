// C++ gSOAP with the generated proxy.
//
// Known for: mustUnderstand="1" on the session header, bodies in chunks when the context says so,
// a WSDL fetched with Accept-Encoding, and strictness: an element or a code that the schema lacks
// ends the call.

#include <cstdlib>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "SoapBinding.nsmap"
#include "soapSoapBindingProxy.h"

namespace {

std::string step = "load";

void done(const std::string &now) {
    std::cout << "ok " << step << std::endl;
    step = now;
}

void expect(bool isSo, const std::string &what) {
    if (!isSo) throw std::runtime_error(what);
}

std::string setting(const char *name) {
    const char *value = std::getenv(name);
    expect(value != nullptr, std::string(name) + " is not set");
    return value;
}

// The proxy, whose calls throw what went wrong, and the memory of everything that it made.
class Client {
  public:
    Client() : soap_(SOAP_IO_CHUNK | SOAP_IO_KEEPALIVE | SOAP_XML_STRICT), proxy_(&soap_) {
        soap_.connect_timeout = soap_.send_timeout = soap_.recv_timeout = 30;
#ifdef WITH_OPENSSL
        const std::string authority = setting("INTEROP_AUTHORITY");
        int failed = soap_ssl_client_context(&soap_, SOAP_SSL_DEFAULT, nullptr, nullptr,
                                             authority.c_str(), nullptr, nullptr);
        expect(!failed, "OpenSSL does not take " + authority);
#endif
    }

    ~Client() { proxy_.destroy(); }

    std::string *text(const std::string &value) {
        std::string *made = soap_new_std__string(&soap_);
        *made = value;
        return made;
    }

    void use(const std::string &session) {
        auto *header = soap_new_req__zns__SessionHeader(&soap_, session);
        proxy_.soap_header(nullptr, nullptr, header);
    }

    zns__LoginResult *login() {
        _zns__login request;
        request.username = text(setting("INTEROP_USERNAME"));
        request.password = text(setting("INTEROP_PASSWORD"));
        auto *response = soap_new__zns__loginResponse(&soap_);
        proxy_.soap_noheader();
        check(proxy_.login(&request, *response));
        return response->result;
    }

    std::string username() {
        _zns__getUserInfo request;
        _zns__getUserInfoResponse response;
        check(proxy_.getUserInfo(&request, response));
        return response.Username;
    }

    ons__Refund *refund() { return soap_new_ons__Refund(&soap_); }

    ons__Refund *external(const std::string &amount) {
        ons__Refund *made = refund();
        made->AccountId = text(setting("INTEROP_ACCOUNT"));
        made->Amount = text(amount);
        made->MethodType = text("Check");
        made->SourceType = text("CreditBalance");
        made->Type = text("External");
        return made;
    }

    std::vector<zns__SaveResult *> create(const std::vector<ons__zObject *> &objects) {
        _zns__create request;
        request.zObjects = objects;
        auto *response = soap_new__zns__createResponse(&soap_);
        check(proxy_.create(&request, *response));
        return response->result;
    }

    // The typed detail of the fault that a create call is answered with.
    fns__ApiFault *fault(ons__Refund *refund) {
        _zns__create request;
        request.zObjects.push_back(refund);
        _zns__createResponse response;
        expect(proxy_.create(&request, response) == SOAP_FAULT, "no fault");
        expect(std::string(proxy_.soap_fault()->faultcode) == "fns:INVALID_SESSION",
               proxy_.soap_fault()->faultcode);
        return proxy_.soap_fault()->detail->fns__UnexpectedErrorFault_;
    }

    zns__QueryResult *query(const std::string &text) {
        _zns__query request;
        request.queryString = text;
        auto *response = soap_new__zns__queryResponse(&soap_);
        check(proxy_.query(&request, *response));
        return response->result;
    }

  private:
    void check(int code) {
        if (code == SOAP_OK) return;
        char text[1000];
        throw std::runtime_error(proxy_.soap_sprint_fault(text, sizeof text));
    }

    struct soap soap_;
    SoapBindingProxy proxy_;
};

void run() {
    Client client;
    done("login");
    const std::string session = *client.login()->Session;
    done("session");
    client.use(session);
    expect(client.username() == setting("INTEROP_USERNAME"), "another user");
    done("external");
    client.use(session);
    auto *made = client.create({client.external("10.50")}).at(0);
    expect(*made->Success && made->Errors.empty() && made->Id->size() == 32, "not made");
    done("electronic");
    client.use(session);
    ons__Refund *electronic = client.external("10.25");
    electronic->MethodType = nullptr;
    electronic->Type = client.text("Electronic");
    electronic->PaymentMethodId = client.text(setting("INTEROP_METHOD"));
    expect(*client.create({electronic}).at(0)->Success, "not paid");
    done("row-error");
    client.use(session);
    auto *refused = client.create({client.refund()}).at(0);
    expect(!*refused->Success && refused->Id == nullptr, "a refund of nothing");
    expect(*refused->Errors.at(0)->Code == zns__ErrorCode__MISSING_USCOREREQUIRED_USCOREVALUE,
           *refused->Errors.at(0)->Message);
    done("fault");
    client.use("none");
    fns__ApiFault *fault = client.fault(client.external("1"));
    expect(fault && *fault->FaultCode == zns__ErrorCode__INVALID_USCORESESSION, "no typed fault");
    done("query");
    client.use(session);
    auto *found = client.query("select Id, Amount, SourceType from Refund where Id = '" +
                               *made->Id + "'");
    expect(found->size == 1 && found->done, "not found");
    auto *record = dynamic_cast<ons__Refund *>(found->records.at(0));
    expect(record && std::stod(*record->Amount) == 10.5, "not that refund");
    done("batch");
    client.use(session);
    std::vector<ons__zObject *> objects;
    for (int row = 0; row < 50; ++row) objects.push_back(client.external("1.00"));
    std::set<std::string> ids;
    for (auto *row : client.create(objects)) {
        if (*row->Success) ids.insert(*row->Id);
    }
    expect(ids.size() == 50, "not all fifty");
    done("");
}

}  // namespace

int main() {
    try {
        run();
        return 0;
    } catch (const std::exception &error) {
        std::cout << "FAILED " << step << ": " << error.what() << std::endl;
        return 1;
    }
}
