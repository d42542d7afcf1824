// A refund server as a plain gSOAP program: generated stubs, a thread for each connection, one
// SQLite database, one transaction for each request, durable before the answer.
//
// usage: server DATABASE SCHEMA ACCOUNTS SESSION

#include <sqlite3.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>

#include "SoapBinding.nsmap"
#include "soapSoapBindingService.h"

namespace {

class Database {
  public:
    explicit Database(const char *path) {
        check(sqlite3_open(path, &handle_));
        sqlite3_busy_timeout(handle_, 10000);
        run("pragma journal_mode = wal");
        run("pragma synchronous = full");
        run("pragma foreign_keys = on");
    }

    void run(const std::string &text) {
        check(sqlite3_exec(handle_, text.c_str(), nullptr, nullptr, nullptr));
    }

    sqlite3_stmt *prepare(const char *text) {
        sqlite3_stmt *made = nullptr;
        check(sqlite3_prepare_v3(handle_, text, -1, SQLITE_PREPARE_PERSISTENT, &made, nullptr));
        return made;
    }

    long long last_row() { return sqlite3_last_insert_rowid(handle_); }

    void check(int code) {
        if (code != SQLITE_OK) throw std::runtime_error(sqlite3_errstr(code));
    }

  private:
    sqlite3 *handle_ = nullptr;
};

// A statement with its values, which is reset when this goes.
class Bound {
  public:
    explicit Bound(sqlite3_stmt *statement) : statement_(statement) {}
    ~Bound() { sqlite3_reset(statement_); }

    Bound &text(const std::string &value) {
        sqlite3_bind_text(statement_, ++bound_, value.data(), value.size(), SQLITE_TRANSIENT);
        return *this;
    }

    Bound &number(long long value) {
        sqlite3_bind_int64(statement_, ++bound_, value);
        return *this;
    }

    // Whether there is a row.
    bool row() {
        int code = sqlite3_step(statement_);
        if (code != SQLITE_ROW && code != SQLITE_DONE) {
            throw std::runtime_error(sqlite3_errstr(code));
        }
        return code == SQLITE_ROW;
    }

    long long column() { return sqlite3_column_int64(statement_, 0); }

  private:
    sqlite3_stmt *statement_;
    int bound_ = 0;
};

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Decimal text as cents.
long long cents(const std::string &text) {
    char *end = nullptr;
    double value = std::strtod(text.c_str(), &end);
    if (end == text.c_str() || *end != '\0' || !(value > 0)) throw Refused("Amount");
    return static_cast<long long>(value * 100 + 0.5);
}

const std::string &needed(const std::string *value, const char *field) {
    if (value == nullptr || value->empty()) throw Refused(field);
    return *value;
}

class Ledger {
  public:
    Ledger(const char *path, const char *schema, long accounts, const char *session)
        : database_(path) {
        std::ifstream file(schema);
        std::stringstream text;
        text << file.rdbuf();
        database_.run("begin");
        database_.run(text.str());
        database_.run("insert into session values ('" + std::string(session) + "', 'bench')");
        auto *account = database_.prepare("insert into account values (?, 100000000000)");
        char id[33];
        for (long number = 0; number < accounts; ++number) {
            std::snprintf(id, sizeof id, "%032lx", number);
            Bound(account).text(id).row();
        }
        database_.run("commit");
        session_ = database_.prepare("select 1 from session where token = ?");
        begin_ = database_.prepare("begin immediate");
        commit_ = database_.prepare("commit");
        balance_ = database_.prepare("select balance from account where id = ?");
        debit_ = database_.prepare("update account set balance = ? where id = ?");
        refund_ = database_.prepare(
            "insert into refund (id, account, amount, method_type, created_ms) "
            "values (?, ?, ?, ?, ?)");
        entry_ = database_.prepare(
            "insert into entry (account, refund, delta, balance) values (?, ?, ?, ?)");
    }

    bool has_session(const std::string &token) {
        std::lock_guard<std::mutex> turn(one_at_a_time_);
        return Bound(session_).text(token).row();
    }

    // Makes all refunds of a request, or none and throws.
    void create(const std::vector<ons__zObject *> &objects, std::vector<std::string> &ids) {
        std::lock_guard<std::mutex> turn(one_at_a_time_);
        Bound(begin_).row();
        try {
            for (auto *object : objects) ids.push_back(create(dynamic_cast<ons__Refund *>(object)));
            Bound(commit_).row();
        } catch (...) {
            database_.run("rollback");
            throw;
        }
    }

  private:
    std::string create(const ons__Refund *refund) {
        if (refund == nullptr) throw Refused("zObjects");
        const auto &account = needed(refund->AccountId, "AccountId");
        const auto &method = needed(refund->MethodType, "MethodType");
        if (needed(refund->Type, "Type") != "External") throw Refused("Type");
        const long long amount = cents(needed(refund->Amount, "Amount"));
        long long left = 0;
        {
            Bound found(balance_);
            if (!found.text(account).row()) throw Refused("AccountId");
            left = found.column() - amount;
        }
        if (left < 0) throw Refused("Amount");
        Bound(debit_).number(left).text(account).row();
        using namespace std::chrono;
        const auto now = system_clock::now().time_since_epoch();
        const long long moment = duration_cast<milliseconds>(now).count();
        char id[33];
        std::snprintf(id, sizeof id, "%016llx%016llx", moment, ++made_);
        Bound(refund_).text(id).text(account).number(amount).text(method).number(moment).row();
        Bound(entry_).text(account).number(database_.last_row()).number(-amount).number(left).row();
        return id;
    }

    Database database_;
    std::mutex one_at_a_time_;
    unsigned long long made_ = 0;
    sqlite3_stmt *session_, *begin_, *commit_, *balance_, *debit_, *refund_, *entry_;
};

class Service : public SoapBindingService {
  public:
    Service(Ledger *ledger, soap_mode mode) : SoapBindingService(mode), ledger_(ledger) {}

    SoapBindingService *copy() override {
        auto *made = new Service(ledger_, SOAP_IO_KEEPALIVE);
        soap_copy_context(made->soap, soap);
        return made;
    }

    int create(_zns__create *request, _zns__createResponse &response) override {
        const auto *header = soap->header ? soap->header->zns__SessionHeader : nullptr;
        soap->header = nullptr;
        if (header == nullptr || !ledger_->has_session(header->session)) {
            return soap_senderfault("invalid session", nullptr);
        }
        std::vector<std::string> ids;
        try {
            ledger_->create(request->zObjects, ids);
        } catch (const Refused &refused) {
            auto *result = soap_new_zns__SaveResult(soap);
            result->Errors.push_back(soap_new_zns__Error(soap));
            result->Errors.back()->Code = "INVALID_VALUE";
            result->Errors.back()->Message = refused.what();
            response.result.push_back(result);
            return SOAP_OK;
        } catch (const std::exception &error) {
            return soap_receiverfault(error.what(), nullptr);
        }
        for (const auto &id : ids) {
            auto *result = soap_new_zns__SaveResult(soap);
            result->Id = soap_new_std__string(soap);
            *result->Id = id;
            result->Success = true;
            response.result.push_back(result);
        }
        return SOAP_OK;
    }

  private:
    Ledger *ledger_;
};

}  // namespace

// What the generated class declares and leaves to its user.
int SoapBindingService::create(_zns__create *, _zns__createResponse &) { return SOAP_NO_METHOD; }

int main(int, char **arguments) {
    Ledger ledger(arguments[1], arguments[2], std::atol(arguments[3]), arguments[4]);
    Service service(&ledger, SOAP_IO_KEEPALIVE);
    service.soap->max_keep_alive = 0;
    service.soap->accept_flags = service.soap->bind_flags = 0;
    service.soap->tcp_keep_alive = 1;
    if (!soap_valid_socket(service.bind("127.0.0.1", 0, 512))) return 1;
    sockaddr_in bound{};
    socklen_t size = sizeof bound;
    getsockname(service.soap->master, reinterpret_cast<sockaddr *>(&bound), &size);
    std::printf("listening on http://127.0.0.1:%d\n", ntohs(bound.sin_port));
    std::fflush(stdout);
    while (soap_valid_socket(service.accept())) {
        auto *connection = service.copy();
        std::thread([connection] {
            connection->serve();
            connection->destroy();
            delete connection;
        }).detach();
    }
    return 1;
}
