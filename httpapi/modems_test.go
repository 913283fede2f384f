package httpapi_test

import (
	"reflect"
	"strings"
	"testing"

	"dongled/modem"
)

// whole is a status with everything known.
var whole = modem.Status{
	SIM: 3, Name: "Front door", Port: "imei:490154203237518", State: modem.StateReady,
	IMEI: "490154203237518", IMSI: "262010000000003", ICCID: "8949000000000000003",
	Manufacturer: "huawei", Model: "E173", Revision: "11.126", Number: "+491701234567",
	SMSC: "+491710760000", Operator: "Net", Registration: 5, SignalDBM: -71, Reports: true,
	Profile: "huawei-e173", Storage: [3]modem.Memory{{Name: "SM", Used: 2, Total: 10}, {}, {Name: "ME", Total: 255}},
	Tty: "/dev/ttyUSB4", Enumerations: 2, Resets: 1, LastReset: "usb-reset", LastResetAt: at(4),
	Balance: modem.Balance{Amount: 12.5, At: at(7)}, LastSeen: at(9), Sessions: 5,
}

const wholeJSON = `{"simNumber":3,"name":"Front door","state":"ready","warnings":[],"port":"imei:490154203237518","tty":"/dev/ttyUSB4","profile":"huawei-e173",` +
	`"manufacturer":"huawei","model":"E173","revision":"11.126","imei":"490154203237518","imsi":"262010000000003","iccid":"8949000000000000003",` +
	`"phoneNumber":"+491701234567","smsc":"+491710760000","carrierName":"Net","registration":"roaming","signalDbm":-71,"deliveryReports":true,` +
	`"storage":[{"name":"SM","used":2,"total":10},{"name":"ME","used":0,"total":255}],` +
	`"balance":{"amount":12.5,"low":false,"at":"2026-01-02T03:04:07.005Z"},"sessions":5,"enumerations":2,"resets":1,"lastReset":"usb-reset",` +
	`"lastResetAt":"2026-01-02T03:04:04.005Z","lastSeen":"2026-01-02T03:04:09.005Z"}`

var downJSON = `{"simNumber":7,"state":"lost","problem":"port-lost","hint":"check the plug",` +
	`"warnings":[{"id":"port-lost","severity":"fail","text":"` + told(down, "port-lost") + `"}],"registration":"not-registered","deliveryReports":false,"storage":[],` +
	`"sessions":0,"enumerations":0,"resets":0,"lastSeen":"2026-01-02T03:04:08.005Z"}`

func TestModems(t *testing.T) {
	s := start(t)
	s.do("GET", "/modems", "").want(t, 200, "[]")
	s.modems.set(whole, down)
	for _, prefix := range []string{"", "/3rdparty/v1", "/api/3rdparty/v1"} {
		s.do("GET", prefix+"/modems", "").want(t, 200, "["+wholeJSON+","+downJSON+"]")
		s.do("GET", prefix+"/modems/3", "").want(t, 200, wholeJSON)
		s.do("GET", prefix+"//modems/7/", "").want(t, 200, downJSON)
	}
}

func TestRegistrations(t *testing.T) {
	s := start(t)
	for stat, want := range []string{
		"not-registered", "home", "searching", "denied", "unknown", "roaming", "home-sms-only", "roaming-sms-only",
		"emergency-only", "home-csfb-not-preferred", "roaming-csfb-not-preferred", "emergency-rlos",
	} {
		s.modems.set(modem.Status{SIM: 1, State: modem.StateReady, Registration: stat})
		if got := s.do("GET", "/modems/1", ""); !strings.Contains(got.body, `"registration":"`+want+`"`) {
			t.Errorf("<stat> %d: %s", stat, got.body)
		}
	}
	s.modems.set(modem.Status{SIM: 1, State: modem.StateReady, Registration: 99})
	if got := s.do("GET", "/modems/1", ""); strings.Contains(got.body, "registration") {
		t.Errorf("<stat> 99: %s", got.body)
	}
}

func TestTrace(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	s.modems.trace = []modem.TraceLine{
		{At: at(1), Sent: true, Text: "AT+CPIN=…"},
		{At: at(2), Text: "+CUSD: 0,\"a\tb\",15"},
	}
	const want = `[{"at":"2026-01-02T03:04:01.005Z","sent":true,"text":"AT+CPIN=…"},` +
		`{"at":"2026-01-02T03:04:02.005Z","sent":false,"text":"+CUSD: 0,\"a\tb\",15"}]`
	for _, query := range []string{"", "?texts=true", "?texts=", "?texts=False"} {
		s.do("GET", "/modems/3/trace"+query, "").want(t, 200, strings.ReplaceAll(want, "\t", `\t`))
	}
	asked := []string{"trace of 3, texts false", "trace of 3, texts true", "trace of 3, texts false", "trace of 3, texts false"}
	if !reflect.DeepEqual(s.modems.asked, asked) {
		t.Errorf("asked %q", s.modems.asked)
	}
	s.do("GET", "/modems/3/trace?texts=all", "").wantMessage(t, 400, "texts: must be true or false")

	s.modems.trace = []modem.TraceLine{}
	s.do("GET", "/api/3rdparty/v1/modems/3/trace", "").want(t, 200, "[]")
}

// A dongle may be gone by the time that it is asked.
func TestTraceOfAModemThatWent(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	s.do("GET", "/modems/3/trace", "").wantMessage(t, 404, "no modem has this simNumber")
}

func TestNoSuchModem(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	for _, sim := range []string{"1", "0", "03", "+3", "-3", "3.0", "x", "%33%20", "99999999999999999999"} {
		for _, route := range []string{"GET /modems/%s", "GET /modems/%s/trace", "POST /modems/%s/ussd", "DELETE /modems/%s/ussd"} {
			method, path, _ := strings.Cut(strings.Replace(route, "%s", sim, 1), " ")
			s.do(method, path, `{"code":"*100#"}`).wantMessage(t, 404, "no modem has this simNumber")
		}
	}
	if len(s.modems.asked) != 0 {
		t.Errorf("asked %q", s.modems.asked)
	}
}

func TestModemsAreProtected(t *testing.T) {
	s := start(t)
	s.modems.set(whole)
	for _, route := range []string{"GET /modems", "GET /modems/3", "GET /modems/3/trace", "POST /modems/3/ussd", "DELETE /modems/3/ussd"} {
		method, path, _ := strings.Cut(route, " ")
		s.do(method, path, "", "Authorization", "").wantMessage(t, 401, "Unauthorized")
	}
	if len(s.modems.asked) != 0 {
		t.Errorf("asked %q", s.modems.asked)
	}
}
