package virtual

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
	"time"

	"dongled/pdu"
)

// Defaults of Options.
const (
	DefaultFirstMR      = 250 // so that 255 → 0 is met early
	DefaultPUK          = "12345678"
	DefaultSMSC         = "+491710760000"
	DefaultOperator     = "Virtual"
	DefaultNetwork      = "00101" // MCC 001, MNC 01: the test network of ITU-T E.212
	DefaultSignal       = 20      // 27.007 8.5 <rssi>: -73 dBm
	DefaultRegistration = 1       // 27.007 7.2 <stat>: registered, home network
	DefaultAckTimeout   = 15 * time.Second
	DefaultCNMI         = "(0-2),(0-3),(0,2),(0-2),(0,1)"
	DefaultSlots        = 50
	DefaultUSSDCoding   = 15 // TS 23.038 section 5: default alphabet, language unspecified
	DefaultUSSDTimeout  = 30 * time.Second
)

// Options says which dongle to simulate. The zero value is a usable one: an unlocked SIM,
// registered at home, that takes no time for anything and has no faults.
type Options struct {
	// Name gives the identity fields below their defaults, the same for the same name.
	Name         string
	Manufacturer string // +CGMI
	Model        string // +CGMM
	Revision     string // +CGMR
	IMEI         string // +CGSN, 15 digits
	IMSI         string // +CIMI, 15 digits
	ICCID        string // +CCID
	Number       string // +CNUM, with + if international
	SMSC         string // +CSCA at first
	Operator     string // +COPS, long name
	Network      string // +COPS, MCC and MNC

	PIN string // empty: the SIM asks for none
	PUK string

	// FirstMR is the first TP-MR used; 0 is DefaultFirstMR; see SetLastMR for a SIM that begins at 0.
	FirstMR uint8
	// Registration is the 27.007 <stat> reached after power-up and PIN; 0 is
	// DefaultRegistration, so use SetRegistration for a dongle that finds no network.
	Registration int
	Signal       int    // <rssi> 0..31 or 99; 0 is DefaultSignal
	CNMI         string // what +CNMI=? offers, and all that +CNMI= takes
	ZeroIndex    bool   // storage is numbered from 0, as Huawei's and Option's, not from 1
	Slots        int    // places in each of SM, ME and SR

	CommandDelay  time.Duration // before the answer to any command line
	PromptDelay   time.Duration // from +CMGS to the prompt
	SubmitDelay   time.Duration // from Ctrl-Z to +CMGS: <mr>
	ReportDelay   time.Duration // from +CMGS: <mr> to the status report
	RegisterDelay time.Duration // from power-up and PIN to registration
	RebootTime    time.Duration // +CFUN=1,1: from leaving the bus to coming back
	AckTimeout    time.Duration // how long +CMT and +CDS wait for +CNMA; TS 24.011 TR2M, 12 to 20 s

	// USSD are the network's answers. A code that none of them answers is not supported.
	USSD        []USSD
	USSDTimeout time.Duration // after which network and user give each other up
	AlertDelay  time.Duration // from RP-SMMA to what the SC had kept for want of room

	Quirks Quirks // of the make
	Faults []Fault

	// OnReference is called with each TP-MR used, OnSubmit with each SMS-SUBMIT the network took,
	// both before the TE hears of it; OnReport with each status report the ME received.
	OnReference func(mr uint8)
	OnSubmit    func(Submission)
	OnReport    func(pdu.Report)
}

func (o Options) withDefaults() Options {
	o = o.withIdentity()
	setDefault(&o.SMSC, DefaultSMSC)
	setDefault(&o.Operator, DefaultOperator)
	setDefault(&o.Network, DefaultNetwork)
	setDefault(&o.PUK, DefaultPUK)
	setDefault(&o.CNMI, DefaultCNMI)
	setDefault(&o.FirstMR, DefaultFirstMR)
	setDefault(&o.Registration, DefaultRegistration)
	setDefault(&o.Signal, DefaultSignal)
	setDefault(&o.Slots, DefaultSlots)
	setDefault(&o.AckTimeout, DefaultAckTimeout)
	setDefault(&o.USSDTimeout, DefaultUSSDTimeout)
	setDefault(&o.Quirks.Memories, DefaultMemories)
	return o
}

// withIdentity fills what tells one dongle from another, out of its name.
func (o Options) withIdentity() Options {
	setDefault(&o.Name, "dongle")
	h := fnv.New64a()
	_, _ = h.Write([]byte(o.Name)) // a hash never fails
	n := h.Sum64()
	setDefault(&o.Manufacturer, "dongled")
	setDefault(&o.Model, "Virtual "+o.Name)
	setDefault(&o.Revision, "1.0")
	// TAC 00 1017 xx is a test IMEI (TS.06: reporting body 00).
	setDefault(&o.IMEI, luhn(fmt.Sprintf("00101700%06d", n%1e6)))
	setDefault(&o.IMSI, fmt.Sprintf("%s%010d", DefaultNetwork, n%1e10))
	// 89 telecommunication, 001 as issuer country: no real card (ITU-T E.118).
	setDefault(&o.ICCID, luhn(fmt.Sprintf("8900101%011d", n%1e11)))
	// +999 is unassigned in ITU-T E.164.
	setDefault(&o.Number, fmt.Sprintf("+999%08d", n%1e8))
	return o
}

var builtinName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)

// Builtin returns the dongle of that name, for ports written virtual:NAME. Its identity follows
// from the name alone; FAMILY and FAMILY.NAME are dongles of a Family. False means that the name
// is not 1 to 32 of A-Z a-z 0-9 _ . -
func Builtin(name string) (Options, bool) {
	if !builtinName.MatchString(name) {
		return Options{}, false
	}
	return familyOf(name).withDefaults(), true
}

// luhn appends the check digit of ISO/IEC 7812-1 annex B, as IMEI and ICCID carry it.
func luhn(digits string) string {
	sum := 0
	for i := range len(digits) {
		v := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// quote is a 27.007 string parameter.
func quote(s string) string { return `"` + strings.ReplaceAll(s, `"`, "") + `"` }
