package pdu_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"dongled/pdu"
)

// zoned returns a time in a zone of so many quarters of an hour.
func zoned(quarters, year, month, d, h, m, s int) time.Time {
	return time.Date(year, time.Month(month), d, h, m, s, 0, time.FixedZone("", quarters*15*60))
}

func sameReport(t *testing.T, got, want pdu.Report) {
	t.Helper()
	equal(t, "SMSC", got.SMSC, want.SMSC)
	equal(t, "TP-MR", got.MR, want.MR)
	equal(t, "TP-RA", got.Recipient, want.Recipient)
	equal(t, "TP-ST", got.Status, want.Status)
	equal(t, "TP-SCTS", got.SCTS.Format(time.RFC3339), want.SCTS.Format(time.RFC3339))
	equal(t, "TP-DT", got.Discharge.Format(time.RFC3339), want.Discharge.Format(time.RFC3339))
}

// Reports as real networks and modems gave them, from the public test suites of gateways.
var reports = []struct {
	name, pdu string
	want      pdu.Report
	sentTo    string
}{
	{
		name: "SC-specific, still trying", pdu: "07914356060013F1065A098136397339F7219011700463802190117004638030",
		want: pdu.Report{SMSC: "+34656000311", MR: 90, Recipient: "639337937", Status: 0x30,
			SCTS: zoned(8, 2012, 9, 11, 7, 40, 36), Discharge: zoned(8, 2012, 9, 11, 7, 40, 36)},
		sentTo: "+34639337937",
	},
	{
		name: "permanent failure", pdu: "07914306073011F006270B913426565711F7012081111345400120811174054043",
		want: pdu.Report{SMSC: "+34607003110", MR: 39, Recipient: "+43626575117", Status: 0x43,
			SCTS: zoned(4, 2010, 2, 18, 11, 31, 54), Discharge: zoned(4, 2010, 2, 18, 11, 47, 50)},
		sentTo: "+43626575117",
	},
	{
		name: "one TP-PI octet after TP-ST", pdu: "079194710600400706360D91947106000000F122206151457440222061514584400000",
		want: pdu.Report{SMSC: "+491760000470", MR: 54, Recipient: "+4917600000001", Status: 0x00,
			SCTS: zoned(4, 2022, 2, 16, 15, 54, 47), Discharge: zoned(4, 2022, 2, 16, 15, 54, 48)},
		sentTo: "017600000001",
	},
	{
		name: "the SIM's SMSC", pdu: "0006D60B911326880736F4111011719551401110117195714000",
		want: pdu.Report{MR: 214, Recipient: "+31628870634", Status: 0x00,
			SCTS: zoned(4, 2011, 1, 11, 17, 59, 15), Discharge: zoned(4, 2011, 1, 11, 17, 59, 17)},
		sentTo: "0031628870634",
	},
	{
		name: "no SCA, TP-MR no type of address", pdu: "06040D91945152991136F00160124130340A0160124130940A00",
		want: pdu.Report{MR: 4, Recipient: "+4915259911630", Status: 0x00,
			SCTS: zoned(-20, 2010, 6, 21, 14, 3, 43), Discharge: zoned(-20, 2010, 6, 21, 14, 3, 49)},
		sentTo: "9911630",
	},
	{
		// The zone A0 is no number of quarters.
		name: "no SCA, national form, no zone", pdu: "0606098121436587F9019012413064A0019012413045A000",
		want: pdu.Report{MR: 6, Recipient: "123456789", Status: 0x00,
			SCTS: zoned(0, 2010, 9, 21, 14, 3, 46), Discharge: zoned(0, 2010, 9, 21, 14, 3, 54)},
		sentTo: "+358123456789",
	},
	{
		name: "ZTE, an address within the address", pdu: "0297F1061C0F910B487228297020F5317062419272803170624192138000",
		want: pdu.Report{SMSC: "+1", MR: 28, Recipient: "+#08427829207025", Status: 0x00,
			SCTS: zoned(8, 2013, 7, 26, 14, 29, 27), Discharge: zoned(8, 2013, 7, 26, 14, 29, 31)},
		sentTo: "27829207025",
	},
}

func TestDecodeReport(t *testing.T) {
	for _, c := range reports {
		t.Run(c.name, func(t *testing.T) {
			got, err := pdu.DecodeReport(unhex(t, c.pdu))
			if err != nil {
				t.Fatal(err)
			}
			sameReport(t, got, c.want)
			if !pdu.SameNumber(got.Recipient, c.sentTo) {
				t.Errorf("%s is not taken for %s", got.Recipient, c.sentTo)
			}
		})
	}
}

// Parts of a report without SCA: first octet to TP-RA, TP-SCTS, TP-DT.
const (
	reportHead = "06D60B911326880736F4"
	reportSCTS = "11101171955140"
	reportDT   = "11101171957140"
)

func TestDecodeReportTolerates(t *testing.T) {
	discharge := zoned(4, 2011, 1, 11, 17, 59, 17)
	const whole = "00" + reportHead + reportSCTS + reportDT
	for _, c := range []struct {
		name, pdu string
		discharge time.Time
	}{
		{"TP-DT of zeros", "00" + reportHead + reportSCTS + "00000000000000" + "00", time.Time{}},
		{"TP-DT of ones", "00" + reportHead + reportSCTS + "FFFFFFFFFFFFFF" + "00", time.Time{}},
		{"TP-DT in month 0", "00" + reportHead + reportSCTS + "11001171957140" + "00", time.Time{}},
		{"TP-DT on 31 February", "00" + reportHead + reportSCTS + "11201371957140" + "00", time.Time{}},
		{"TP-DT at 24:00", "00" + reportHead + reportSCTS + "11101142000040" + "00", time.Time{}},
		{"TP-DT with a zone of ones", "00" + reportHead + reportSCTS + "111011719571FF" + "00",
			zoned(0, 2011, 1, 11, 17, 59, 17)},
		{"TP-PI of ones and nothing behind", whole + "00FF", discharge},
		{"TP-PI, TP-PID, TP-DCS and half of TP-UD", whole + "0007000008046D", discharge},
		{"300 characters of padding", whole + "00" + strings.Repeat("F", 300), discharge},
		{"TP-UDHI, TP-LP and TP-SRQ set", "006E" + whole[4:] + "00", discharge},
		{"no SCA", whole[2:] + "00", discharge},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pdu.DecodeReport(unhex(t, c.pdu))
			if err != nil {
				t.Fatal(err)
			}
			sameReport(t, got, pdu.Report{MR: 214, Recipient: "+31628870634",
				SCTS: zoned(4, 2011, 1, 11, 17, 59, 15), Discharge: c.discharge})
		})
	}
}

// A report is worth having for its reference and status alone. This one could be read as having no
// SCA, with the SCA's type for TP-MR.
func TestDecodeReportWithoutTimes(t *testing.T) {
	const ones = "FFFFFFFFFFFFFF"
	got, err := pdu.DecodeReport(unhex(t, "06911032547698"+reportHead+ones+ones+"46"))
	if err != nil {
		t.Fatal(err)
	}
	sameReport(t, got, pdu.Report{SMSC: "+0123456789", MR: 214, Recipient: "+31628870634", Status: 0x46})
}

func TestDecodeReportRefuses(t *testing.T) {
	whole := unhex(t, "00"+reportHead+reportSCTS+reportDT+"00")
	for n := range whole {
		if r, err := pdu.DecodeReport(whole[:n]); !errors.Is(err, pdu.ErrMalformed) {
			t.Errorf("the first %d octets: %+v, %v", n, r, err)
		}
	}
	for name, s := range map[string]string{
		"SMS-DELIVER": "07919762020033F1040B919762995696F0000041606291401561066379180E8200",
		"SMS-SUBMIT":  "000100039199F9000005C8329BFD06",
		"TP-MTI 3":    "00" + "07" + reportHead[2:] + reportSCTS + reportDT + "00",
	} {
		if r, err := pdu.DecodeReport(unhex(t, s)); !errors.Is(err, pdu.ErrNotReport) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestEncodeReport(t *testing.T) {
	for _, c := range []struct {
		name string
		in   pdu.Report
		want string
	}{
		{"international", pdu.Report{SMSC: "+491760000470", MR: 54, Recipient: "+4917600000001",
			SCTS: zoned(4, 2022, 2, 16, 15, 54, 47), Discharge: zoned(4, 2022, 2, 16, 15, 54, 48)},
			"0791947106004007" + "0636" + "0D91947106000000F1" + "22206151457440" + "22206151458440" + "00"},
		{"short code, west of Greenwich", pdu.Report{MR: 255, Recipient: "12345", Status: 0x30,
			SCTS: zoned(-14, 2026, 12, 31, 23, 59, 58), Discharge: zoned(-14, 2027, 1, 1, 0, 0, 1)},
			"00" + "06FF" + "0581" + "2143F5" + "62211332958549" + "72101000001049" + "30"},
		{"no times", pdu.Report{Recipient: "*21#", Status: 0x46},
			"00" + "0600" + "0481" + "2A B1" + "00000000000000" + "00000000000000" + "46"},
		{"a zone of minutes is rounded with its time", pdu.Report{Recipient: "12",
			SCTS: time.Date(2026, 5, 4, 3, 2, 1, 0, time.FixedZone("", 3600+59))},
			"00" + "0600" + "0281" + "21" + "62504030102040" + "00000000000000" + "00"},
		{"no zone of this earth", pdu.Report{Recipient: "12",
			SCTS: time.Date(2026, 5, 4, 23, 2, 1, 0, time.FixedZone("", 23*3600))},
			"00" + "0600" + "0281" + "21" + "62504000201000" + "00000000000000" + "00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := pdu.EncodeReport(c.in)
			if err != nil {
				t.Fatal(err)
			}
			sameHex(t, got, c.want)
		})
	}
	for name, r := range map[string]pdu.Report{
		"no recipient": {},
		"a name":       {Recipient: "FONIC"},
		"SMSC":         {Recipient: "12", SMSC: "FONIC"},
	} {
		if _, err := pdu.EncodeReport(r); !errors.Is(err, pdu.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReportRoundTrip(t *testing.T) {
	for _, c := range reports {
		raw, err := pdu.EncodeReport(c.want)
		if strings.Contains(c.want.Recipient, "#") {
			if !errors.Is(err, pdu.ErrAddress) {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := pdu.DecodeReport(raw)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		sameReport(t, got, c.want)
	}
}
