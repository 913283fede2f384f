package modem

import (
	"strings"
	"testing"
)

// Answers to +CGMI and +CGMM as dongles give them, from bug reports and manuals.
func TestProfileOf(t *testing.T) {
	for _, test := range []struct{ manufacturer, model, want string }{
		{"huawei", "E173", "huawei-e173"},
		{"huawei", "E1752", "huawei-e1752"},
		{"huawei", "E1750", "huawei-e1752"},
		{"huawei", "K3715", "huawei-e1752"},
		{"Huawei Technologies Co., Ltd.", "E3372", "huawei-e3372"},
		{"huawei", "MU609", "huawei"},
		{"huawei", "", "huawei"},
		{"ZTE INCORPORATED", "MF190", "zte-mf190"},
		{"ZTE CORPORATION", "K3805-Z", "zte-mf190"},
		{"Quectel", "EC25", "quectel-ec25"},
		{"SIMCOM_Ltd", "SIMCOM_SIM800L", "sim800"},
		{"SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "sim7600"},
		{"SIMCOM INCORPORATED", "A7670E", "sim7600"},
		{" WAVECOM MODEM", " MULTIBAND  900E  1800", "wavecom"},
		{"SIEMENS", "TC35", "tc35"},
		{"Cinterion", "BGS5", "tc35"},
		{"Novatel Wireless Incorporated", "Ovation MC950D", "novatel"},
		{"u-blox", "SARA-G350", "ublox"},
		{"Telit", "HE910", "telit"},
		{"Sierra Wireless, Incorporated", "MC7455", "sierra"},
		{"Option N.V.", "GlobeTrotter HSUPA Modem", "option"},
		{"dongled", "virtual", "generic"},
		{"", "", "generic"},
	} {
		if got := profileOf(test.manufacturer, test.model).Name; got != test.want {
			t.Errorf("%q %q is %s, want %s", test.manufacturer, test.model, got, test.want)
		}
	}
}

// The rows have names of their own, can be reached, and hold what their fields promise.
func TestProfiles(t *testing.T) {
	seen := map[string]bool{genericProfile.Name: true}
	for i, p := range profiles {
		if p.Name == "" || seen[p.Name] {
			t.Errorf("row %d: name %q", i, p.Name)
		}
		seen[p.Name] = true
		if len(p.Makers) == 0 {
			t.Errorf("%s fits every maker", p.Name)
		}
		for _, word := range append(append([]string(nil), p.Makers...), p.Models...) {
			if word != strings.ToLower(word) {
				t.Errorf("%s: %q can match nothing", p.Name, word)
			}
		}
		for _, text := range p.CNMI {
			if c, ok := parseCNMI(text); !ok || c.String() != text || c.ds == 0 {
				t.Errorf("%s: +CNMI=%s is no setting with reports", p.Name, text)
			}
		}
		for _, cmd := range append(append([]string(nil), p.Init...), p.Restart) {
			if strings.HasPrefix(cmd, "AT") || strings.Contains(cmd, "ZCDRUN") || strings.Contains(cmd, "U2DIAG") || strings.Contains(cmd, "SETPORT") {
				t.Errorf("%s says %q", p.Name, cmd)
			}
		}
	}
}
