package modem

import "time"

// huawei is a family of Huawei's. URCs on a port that nobody reads fill the stick's buffer until it
// crashes, and ^RSSI, ^MODE and ^DSFLOWRPT come by the second; AT^CURC=0 ends them until the next
// power cycle, while +CDS, +CDSI and +CMTI still come. The sticks advertise mode 2 and some refuse it.
// MU609 crashes on ^GETPORTMODE, so nothing but ^CURC is said to any of them.
func huawei(name string, models ...string) Profile {
	return Profile{
		Name: name, Makers: []string{"huawei"}, Models: models, Init: []string{"^CURC=0"}, Restart: "^RESET",
		CNMI: []string{"2,1,0,1,0", "1,1,0,1,0"}, AckNever: true, PackedUSSD: true,
	}
}

// zteInit: reading +CPMS stops the +ZUSIMR:2 that ZTE sticks repeat until their buffer is full.
// AT+ZCDRUN, which would end the CD-ROM, is kept over power cycles and so is the owner's to say.
var zteInit = []string{"+CPMS?"}

// profiles is the table of families, the most particular first. Its facts come from the sources of
// ModemManager, gammu, oFono, smstools, Kannel and chan_dongle, and from the makers' AT manuals
// and forums.
var profiles = []Profile{
	huawei("huawei-e1752", "e175", "k3715"),
	huawei("huawei-e173", "e173"),
	huawei("huawei-e3372", "e3372", "e3272", "e3276", "e398", "e392"),
	huawei("huawei"),
	{
		// Only mode 1 works, and a "+CDS: ,<length>" that is acknowledged confuses it.
		Name: "zte-mf190", Makers: []string{"zte"},
		Init: zteInit, CNMI: []string{"1,1,0,1,0"}, AckNever: true,
	},
	{
		// It stores reports in SR but announces +CDSI: "SM",0, hence reports as +CDS.
		Name: "quectel-ec25", Makers: []string{"quectel"},
		CNMI: []string{"2,1,0,1,0"},
	},
	{
		Name: "sim7600", Makers: []string{"simcom", "sim com"}, Models: []string{"sim7", "sim5", "a7"},
		Restart: "+CRESET", CNMI: []string{"2,1,0,1,0", "1,1,0,1,0"}, AckNever: true,
	},
	{
		// <ds> is 0 or 1 only.
		Name: "sim800", Makers: []string{"simcom", "sim com"},
		CNMI: []string{"2,1,0,1,0"}, AckNever: true, PaceBeforePDU: oldSerialPace,
	},
	{
		Name: "wavecom", Makers: []string{"wavecom", "multitech"},
		NoOK: []string{"+CPIN?"}, PaceBeforePDU: oldSerialPace,
	},
	{
		// <bfr> has to be 1, and reports are only ever stored.
		Name: "tc35", Makers: []string{"siemens", "cinterion"},
		CNMI: []string{"2,1,0,2,1"}, PaceBeforePDU: oldSerialPace,
	},
	{
		// Acknowledging a +CDS is an error, and not acknowledging it stops the stick: reports are
		// stored instead.
		Name: "novatel", Makers: []string{"novatel"},
		CNMI: []string{"2,1,0,2,0", "1,1,0,2,0"}, AckNever: true,
	},
	{
		Name: "ublox", Makers: []string{"u-blox", "ublox"},
		CNMI: []string{"2,1,0,1,0"},
	},
	{
		// With AT+CSMS=1 a report not acknowledged in time sets <mt> and <ds> to 0.
		Name: "telit", Makers: []string{"telit"},
		CNMI: []string{"2,1,0,1,0"},
	},
	{
		// Its soft reset takes some 30 s.
		Name: "sierra", Makers: []string{"sierra"}, SettleTime: time.Minute,
	},
	{
		Name: "option", Makers: []string{"option"}, AckNever: true,
	},
}

// genericProfile is that of every other dongle.
var genericProfile = Profile{Name: "generic"}

// oldSerialPace is what gammu allows modems behind a slow serial line.
const oldSerialPace = 100 * time.Millisecond
