package webhook

import "testing"

// The vector is SMSGate's.
func TestSign(t *testing.T) {
	const body = `{"deviceId":"ffffffffceb0b1db0000018e937c815b","event":"sms:received","id":"Ey6ECgOkVVFjz3CL48B8C","payload":{"messageId":"abc123","message":"hi","sender":"6505551212","phoneNumber":"6505551212","recipient":"+1234567890","simNumber":1,"receivedAt":"2024-06-22T15:46:11.000+07:00"},"webhookId":"LreFUt-Z3sSq0JufY9uWB"}`
	const want = "35af20f82d10d82c861613efb8515af04ce467299024e056becd57d20438f145"
	if got := sign([]byte(body), "1719045971", "secret12"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
