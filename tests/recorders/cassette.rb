# Writes a cassette by Ruby's VCR: ruby cassette.rb URL FOLDER. Its session and password are
# filtered, as people do; the bodies that are not ASCII are written as bytes.
require "net/http"
require "uri"
require "vcr"
require "webmock"

ACCOUNT = "402892c72b9e3319012b9e34b88e0001"
ENVELOPE = <<XML
<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"
    xmlns:api="http://api.zuora.com/" xmlns:obj="http://object.api.zuora.com/"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <soapenv:Header>%<header>s</soapenv:Header>
  <soapenv:Body>%<body>s</soapenv:Body>
</soapenv:Envelope>
XML

url, folder = ARGV
session = nil

VCR.configure do |config|
  config.cassette_library_dir = folder
  config.hook_into :webmock
  config.filter_sensitive_data("<PASSWORD>") { "s3cret" }
  config.filter_sensitive_data("<ZUORA_SESSION>") { session }
end

post = lambda do |body, token = nil|
  header = token && "<api:SessionHeader><api:session>#{token}</api:session></api:SessionHeader>"
  envelope = format(ENVELOPE, header: header, body: body)
  headers = { "Content-Type" => "text/xml; charset=utf-8", "SOAPAction" => '""' }
  Net::HTTP.post(URI(url), envelope, headers).body.force_encoding("UTF-8")
end

refund = lambda do |amount|
  "<api:create><api:zObjects xsi:type=\"obj:Refund\">" \
    "<obj:AccountId>#{ACCOUNT}</obj:AccountId><obj:Amount>#{amount}</obj:Amount>" \
    "<obj:Comment>d\u00e9j\u00e0 vu \u20ac</obj:Comment><obj:MethodType>Check</obj:MethodType>" \
    "<obj:SourceType>CreditBalance</obj:SourceType><obj:Type>External</obj:Type>" \
    "</api:zObjects></api:create>"
end

query = lambda do |zoql|
  "<api:query><api:queryString>#{zoql}</api:queryString></api:query>"
end

VCR.use_cassette("refunds", record: :all) do
  login = post.call(
    "<api:login><api:username>ruby@example.com</api:username>" \
    "<api:password>s3cret</api:password></api:login>"
  )
  session = login[%r{<ns1:Session>(.*?)</}, 1]
  created = post.call(refund.call("12.50"), session)[%r{<ns1:Id>(.*?)</}, 1]
  fields = "Id, AccountId, Amount, Comment, RefundNumber, CreatedDate"
  found = post.call(query.call("SELECT #{fields} FROM Refund WHERE Id = '#{created}'"), session)
  number = found[%r{<ns2:RefundNumber>(.*?)</}, 1]
  by_number = query.call("SELECT Amount FROM Refund WHERE RefundNumber = '#{number}'")
  abort("not found") unless post.call(by_number, session).include?("<ns2:Amount>12.50</")
  abort("not refused") unless post.call(refund.call("100000"), session).include?("false")
  fault = post.call(query.call("SELECT Id FROM Refund"), "expired")
  abort("no fault") unless fault.include?("INVALID_SESSION")
end
