package modem

import "testing"

// TS 27.007 section 7.3, <AcT>.
func TestGeneration(t *testing.T) {
	for act, want := range map[string]int{
		"0": 2, "1": 2, "3": 2, "8": 2, // GSM, compact, EGPRS, EC-GSM-IoT
		"2": 3, "4": 3, "5": 3, "6": 3, // UTRAN, HSDPA, HSUPA
		"7": 4, "9": 4, "10": 4, // E-UTRAN, NB-S1, at a 5GCN
		"11": 5, "12": 5, "13": 5, // NR, NG-RAN, E-UTRA with NR
		"": 0, "14": 0, "-1": 0, "x": 0, "7 ": 0, "99999999999999999999": 0,
	} {
		if got := generation(act); got != want {
			t.Errorf("AcT %q: %d, want %d", act, got, want)
		}
	}
}
