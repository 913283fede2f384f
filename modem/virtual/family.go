package virtual

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Family returns the dongle of a make, to be changed further: what its firmware says, offers,
// refuses and does in its own way. The identity fields that belong to the single stick are left
// open. The names are those of Families; false means that it is none.
func Family(name string) (Options, bool) {
	build, known := families[name]
	if !known {
		return Options{}, false
	}
	opts := build()
	opts.Name = name
	return opts, true
}

// Families are the names that Family knows, in order.
func Families() []string { return slices.Sorted(maps.Keys(families)) }

// familyOf is the family that the name of a dongle begins with: huawei-e173, huawei-e173.left.
func familyOf(name string) Options {
	family, _, _ := strings.Cut(name, ".")
	opts, _ := Family(family) // a name of no family is that of a dongle without quirks
	opts.Name = name
	return opts
}

// families are built anew each time, so that who changes one changes no other. The facts come from
// the makers' AT manuals, from the sources and trackers of ModemManager, gammu, smstools, oFono,
// Kannel, chan_dongle and python-gsmmodem, and from their users' logs.
var families = map[string]func() Options{
	"generic":      func() Options { return Options{} },
	"huawei-e173":  huaweiE173,
	"huawei-e1752": huaweiE1752,
	"huawei-e3372": huaweiE3372,
	"zte-mf190":    zteMF190,
	"quectel-ec25": quectelEC25,
	"sim800":       sim800,
	"sim7600":      sim7600,
	"wavecom":      wavecom,
	"tc35":         tc35,
	"novatel":      novatel,
	"ublox":        ublox,
}

// What several makes offer alike.
const (
	offersAll      = "(0-2),(0-3),(0,2),(0-2),(0,1)"
	qualcommOffers = "(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)"
	fourMemories   = `("ME","MT","SM","SR"),("ME","MT","SM","SR"),("ME","MT","SM","SR")`
)

// without is what a modem for GSM or UMTS does not know: LTE.
func without(more ...string) []string { return append([]string{"CEREG"}, more...) }

// huawei is what its sticks have in common. Their noise fills the buffer of a port that nobody
// reads until the stick crashes; ^CURC=0 ends it until power-up.
func huawei(model, revision string, noise ...string) Options {
	const quiet = "^CURC=0"
	return Options{
		Manufacturer: "huawei", Model: model, Revision: revision, CNMI: offersAll, RebootTime: 8 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CCID", "CPINR"),
			Vendor: map[string][]string{
				"^CURC": nil, "^PORTSEL": nil, "^BOOT": nil, "^ICCID": {"^ICCID: {iccid}"},
				"^SYSINFO": {"^SYSINFO:2,3,0,5,1,,4"}, "^CPIN": {"^CPIN: READY,,3,10,3,10"},
			},
			Restart: "^RESET", Memories: fourMemories, Memory: "SM", ServiceTail: ",1", PackedUSSD: true, StrictCancel: true,
			// The SIM is busy after the PIN, and +CMS ERROR: 515 says so (qtmoko#54, python-gsmmodem#11).
			Busy: 2 * time.Second, BusyCode: 515,
			CountLag: time.Second, FullURC: `^SMMEMFULL: "{mem}"`, UnreadLimit: 200,
			Unsolicited: []Unsolicited{
				{Lines: []string{"^SIMST:1"}, Ready: true},
				{Lines: []string{"^SRVST:2", "^MODE:5,4"}, Ready: true, After: 1200 * time.Millisecond},
				{Lines: []string{"^BOOT:20430879,0,0,0,89"}, After: time.Second, Every: 20 * time.Second, Until: quiet},
				{Lines: noise, After: 3 * time.Second, Every: 5 * time.Second, Until: quiet},
			},
		},
	}
}

// huaweiE173 offers +CNMI mode 2 and refuses it.
func huaweiE173() Options {
	o := huawei("E173", "11.126.85.00.209", "^RSSI:18",
		"^DSFLOWRPT:0000012C,00000000,00000000,0000000000000000,0000000000000000,0003E800,0003E800")
	o.Quirks.CNMIRefused = []string{"2"}
	return o
}

// huaweiE1752 counts from 0, has its own word for what it does not know, and ends its lines with
// one CR more.
func huaweiE1752() Options {
	o := huawei("E1752", "11.126.13.00.00", "^RSSI:14", "^CSNR:-81,-6")
	o.ZeroIndex = true
	o.Quirks.UnknownFinal, o.Quirks.LineEnd, o.Quirks.BlankLine = "COMMAND NOT SUPPORT", "\r\r\n", true
	o.Quirks.USSDMode = "^USSDMODE"
	return o
}

// huaweiE3372 is the stick firmware of an LTE dongle; it stores in the ME, from 0.
func huaweiE3372() Options {
	o := huawei("E3372", "21.180.01.00.00", `^HCSQ:"LTE",46,53,161,30`, "^RSSI:20", "^LTERSRP:-97,-9")
	o.CNMI, o.ZeroIndex = qualcommOffers, true
	o.Quirks.Unsupported, o.Quirks.Memory = []string{"CCID", "CPINR"}, "ME"
	return o
}

// zteMF190 offers +CNMI mode 2 and refuses it, knows no +CNMA, keeps reports in the ME although it
// says SR (gammu#209), and writes them oddly. Its +ZUSIMR does not end until +CPMS? is read.
func zteMF190() Options {
	return Options{
		Manufacturer: "ZTE CORPORATION", Model: "MF190", Revision: "BD_MF190V1.0.0B03", CNMI: offersAll,
		RebootTime: 10 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CCID", "CPINR", "CNMA"),
			Vendor: map[string][]string{
				"ZCDRUN": nil, "ZOPRT": nil, "ZGETICCID": {"+ZGETICCID: {iccid}"}, "ZPAS": {`+ZPAS: "HSDPA","CS_PS"`},
			},
			Memories: `("ME","MT","SM","SR"),("ME","MT","SM"),("ME","MT","SM")`, Memory: "SM",
			CNMIRefused: []string{"2"}, DirectReport: "+CDS: ,", MangledReports: true,
			ReportMemory: "ME", StoredReport: `+CDSI: "SR",{index}`, UnreadLimit: 100,
			Unsolicited: []Unsolicited{
				{Lines: []string{"+ZUSIMR:2"}, After: time.Second, Every: 2 * time.Second, Until: "CPMS"},
				{Lines: []string{`+ZPASR: "HSDPA"`, "+ZDONR: \"Virtual\",1,1,\"CS_PS\",\"ROAM_OFF\""}, Ready: true, After: 1500 * time.Millisecond},
			},
		},
	}
}

// quectelEC25 stores reports in SR, announces all of them as SM 0, and answers a bare OK to the
// reading of a place where nothing is (asterisk-chan-quectel#75).
func quectelEC25() Options {
	return Options{
		Manufacturer: "Quectel", Model: "EC25", Revision: "EC25EFAR06A06M4G", CNMI: qualcommOffers,
		ZeroIndex: true, RebootTime: 12 * time.Second,
		Quirks: Quirks{
			Vendor: map[string][]string{
				"QCCID": {"+QCCID: {iccid}"}, "QURCCFG": {`+QURCCFG: "urcport","usbat"`}, "QINISTAT": {"+QINISTAT: 7"},
			},
			Memories: fourMemories, EmptyPlace: EmptySilent, StoredReport: `+CDSI: "SM",0`,
			Busy: 3 * time.Second,
			Unsolicited: []Unsolicited{
				{Lines: []string{"RDY"}},
				{Lines: []string{"+CFUN: 1", "+QUSIM: 1"}, After: 500 * time.Millisecond},
				{Lines: []string{"+CPIN: READY"}, Ready: true},
				{Lines: []string{"+QIND: SMS DONE"}, Ready: true, After: 3 * time.Second},
				{Lines: []string{"+QIND: PB DONE"}, Ready: true, After: 5 * time.Second},
			},
		},
	}
}

// sim800 is a module on a serial line. It knows no <ds> 2 and no SR, and complains of its supply.
func sim800() Options {
	return Options{
		Manufacturer: "SIMCOM_Ltd", Model: "SIMCOM_SIM800", Revision: "Revision:1418B05SIM800L24",
		CNMI: "(0-3),(0-3),(0,2,3),(0,1),(0,1)", RebootTime: 3 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CPINR"),
			Vendor:      map[string][]string{"CCID": {"{iccid}f"}, "CSMINS": {"+CSMINS: 0,1"}, "CBC": {"+CBC: 0,99,4321"}},
			Memories:    `("SM","ME","SM_P","ME_P","MT"),("SM","ME","SM_P","ME_P","MT"),("SM","ME","SM_P","ME_P","MT")`,
			Memory:      "SM_P", EmptyPlace: EmptySilent, Busy: 4 * time.Second,
			Unsolicited: []Unsolicited{
				{Lines: []string{"RDY", "+CFUN: 1"}},
				{Lines: []string{"+CPIN: READY"}, Ready: true},
				{Lines: []string{"Call Ready"}, Ready: true, After: 3 * time.Second},
				{Lines: []string{"SMS Ready"}, Ready: true, After: 4 * time.Second},
				{Lines: []string{"*PSUTTZ: 2026,4,5,10,11,12,\"+8\",0", "DST: 1"}, Ready: true, After: 5 * time.Second},
				{Lines: []string{"OVER-VOLTAGE WARNNING"}, After: 6 * time.Second, Every: 30 * time.Second},
			},
		},
	}
}

func sim7600() Options {
	return Options{
		Manufacturer: "SIMCOM INCORPORATED", Model: "SIMCOM_SIM7600E-H", Revision: "LE20B04SIM7600M22",
		CNMI: qualcommOffers, ZeroIndex: true, RebootTime: 15 * time.Second,
		Quirks: Quirks{
			Unsupported: []string{"CCID", "CPINR"}, Prefixed: []string{"CGMR"}, Restart: "CRESET",
			Vendor:   map[string][]string{"CICCID": {"+ICCID: {iccid}"}, "CPSI": {"+CPSI: LTE,Online,001-01,0x00C3,41650,12,EUTRAN-BAND3,1300,5,5,-98,-885,-586,15"}},
			Memories: fourMemories, Busy: 3 * time.Second,
			Unsolicited: []Unsolicited{
				{Lines: []string{"RDY"}},
				{Lines: []string{"+CPIN: READY"}, Ready: true},
				{Lines: []string{"SMS DONE"}, Ready: true, After: 3 * time.Second},
				{Lines: []string{"PB DONE"}, Ready: true, After: 5 * time.Second},
			},
		},
	}
}

// wavecom is a Fastrack: two memories in +CPMS, no OK after +CPIN?, no +CGMR, and dirt before the
// reports in SR (python-gsmmodem, smstools).
func wavecom() Options {
	return Options{
		Manufacturer: " WAVECOM MODEM", Model: " MULTIBAND  900E  1800",
		CNMI: "(0,1,2,3),(0,1,2,3),(0,1,2,3),(0,1,2),(0,1)", RebootTime: 5 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CGMR", "GMR", "CGREG", "CPINR"), NoFinal: []string{"CPIN?"},
			Vendor:       map[string][]string{"CCID": {`+CCID: "{iccid}"`}, "WIND": {"+WIND: 0"}},
			Memories:     `(("SM","BM","SR"),("SM"))`,
			StoredPrefix: "000000FF00", Busy: 4 * time.Second, BusyCode: 515,
			Unsolicited: []Unsolicited{
				{Lines: []string{"+WIND: 3"}},
				{Lines: []string{"+WIND: 1"}, Ready: true},
				{Lines: []string{"+WIND: 7"}, Ready: true, After: time.Second},
				{Lines: []string{"+WIND: 4"}, Ready: true, After: 4 * time.Second},
			},
		},
	}
}

// tc35 routes directly in phase 2+ only, where the next +CDS waits for the +CNMA of the last, and
// takes no <bfr> but 1.
func tc35() Options {
	return Options{
		Manufacturer: "SIEMENS", Model: "TC35", Revision: "REVISION 04.00",
		CNMI: "(0-3),(0,1),(0,2,3),(0,2),(1)", RebootTime: 4 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CCID", "CGREG", "CPINR"),
			Vendor:      map[string][]string{"^SCID": {"^SCID: {iccid}"}, "^SBC": {"^SBC: 0,0,4200"}, "^SSMSS": {"^SSMSS: 0"}},
			Memories:    `("ME","SM","MT"),("ME","SM","MT"),("SM","MT")`,
			CNMIPlus:    "(0-3),(0-3),(0,2,3),(0-2),(1)", ReportMemory: "SM", EmptyPlace: EmptyBlank,
			Unsolicited: []Unsolicited{{Lines: []string{"^SYSSTART"}}},
		},
	}
}

// novatel breaks when it sends +CDS: <ds> 2 alone is safe (oFono).
func novatel() Options {
	return Options{
		Manufacturer: "Novatel Wireless Incorporated", Model: "MC950D", Revision: "09.05.03.00-00",
		CNMI: qualcommOffers, RebootTime: 10 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CCID", "CPINR"), AckFatal: true,
			Vendor: map[string][]string{"$NWRSSI": {"$NWRSSI: 1, -73"}},
		},
	}
}

func ublox() Options {
	return Options{
		Manufacturer: "u-blox", Model: "SARA-U201", Revision: "23.60",
		CNMI: "(0-2),(0-3),(0-3),(0-2),(0-1)", RebootTime: 6 * time.Second,
		Quirks: Quirks{
			Unsupported: without("CPINR"), Busy: 3 * time.Second,
			Unsolicited: []Unsolicited{
				{Lines: []string{"+AT: READY"}, After: time.Second},
				{Lines: []string{"+PBREADY"}, Ready: true, After: 4 * time.Second},
			},
		},
	}
}
