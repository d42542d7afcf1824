<?php
// Loads a WSDL with PHP's SoapClient, makes one create call whose answers are given, and tells what
// it saw.
//
// Usage: php_client.php WSDL ANSWER FAULT REQUEST
// Writes the request that it would have sent to REQUEST. Prints one fact a line: `address`,
// `operation`, `field` (of Refund, own fields only), `result` and `fault`. Nothing leaves the machine.

const API = 'http://api.zuora.com/';
const OBJECTS = 'http://object.api.zuora.com/';

class Stub extends SoapClient
{
    public string $answer = '';
    public string $address = '';
    public string $request = '';

    public function __doRequest(
        string $request,
        string $location,
        string $action,
        int $version,
        bool $oneWay = false
    ): ?string {
        $this->request = $request;
        $this->address = $location;
        return file_get_contents($this->answer);
    }
}

function create(Stub $client, array $types): mixed
{
    $wanted = [
        'AccountId' => '402892c72b9e3319012b9e34b88e0001',
        'Amount' => '10.50',
        'Comment' => 'café & <more>',
        'MethodType' => 'Check',
        'PaymentMethodId' => '2c92c0f83dfa5201013dfa6656ff2b8b',
        'RefundDate' => $types['RefundDate'] === 'date' ? '2026-01-02' : '2026-01-02T03:04:05',
        'SourceType' => 'CreditBalance',
        'Type' => 'External',
    ];
    $refund = (object) array_intersect_key($wanted, $types);
    $zObject = new SoapVar($refund, SOAP_ENC_OBJECT, 'Refund', OBJECTS);
    $header = new SoapHeader(API, 'SessionHeader', ['session' => 'token']);
    return $client->__soapCall('create', [['zObjects' => [$zObject]]], null, $header);
}

[, $wsdl, $answer, $fault, $request] = $argv;
$client = new Stub($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE, 'exceptions' => true]);
foreach ($client->__getFunctions() as $function) {
    preg_match('/^\w+ (\w+)\(/', $function, $match);
    echo "operation $match[1]\n";
}
$types = [];
foreach ($client->__getTypes() as $type) {
    if (str_starts_with($type, 'struct Refund {')) {
        preg_match_all('/^ (\w+) (\w+);$/m', $type, $fields, PREG_SET_ORDER);
        foreach ($fields as [, $of, $name]) {
            $types[$name] = $of;
            echo "field $name $of\n";
        }
    }
}
$client->answer = $answer;
$result = create($client, $types)->result;
echo "address $client->address\n";
file_put_contents($request, $client->request);
echo "result $result->Id ", var_export($result->Success, true), "\n";
$client->answer = $fault;
try {
    create($client, $types);
} catch (SoapFault $error) {
    $detail = get_object_vars($error->detail);
    echo "fault $error->faultcode ", array_key_first($detail), " $error->faultstring\n";
}
