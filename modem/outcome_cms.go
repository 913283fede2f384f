package modem

import "time"

// The first back-offs of the tables below.
const (
	retrySoon   = 5 * time.Second  // a passing collision
	retrySIM    = 10 * time.Second // a busy SIM takes that long
	retryLater  = 30 * time.Second
	retrySlow   = time.Minute     // congestion: slow the SIM down
	retryLong   = 5 * time.Minute // "immediate reattempt is unlikely to succeed"
	modemSettle = 10 * time.Second
)

// The RESULT_ names used in the tables.
const (
	resGeneric      = "RESULT_ERROR_GENERIC_FAILURE"
	resNoService    = "RESULT_ERROR_NO_SERVICE"
	resFDN          = "RESULT_ERROR_FDN_CHECK_FAILURE"
	resReject       = "RESULT_NETWORK_REJECT"
	resNetwork      = "RESULT_NETWORK_ERROR"
	resArguments    = "RESULT_INVALID_ARGUMENTS"
	resFormat       = "RESULT_INVALID_SMS_FORMAT"
	resEncoding     = "RESULT_ENCODING_ERROR"
	resSMSC         = "RESULT_INVALID_SMSC_ADDRESS"
	resModem        = "RESULT_MODEM_ERROR"
	resMemory       = "RESULT_NO_MEMORY"
	resResources    = "RESULT_NO_RESOURCES"
	resNotAllowed   = "RESULT_OPERATION_NOT_ALLOWED"
	resNotSupported = "RESULT_REQUEST_NOT_SUPPORTED"
	resState        = "RESULT_INVALID_STATE"
	resCancelled    = "RESULT_CANCELLED"
	resUnavailable  = "RESULT_RADIO_NOT_AVAILABLE"
	resRateLimited  = "RESULT_RIL_REQUEST_RATE_LIMITED"
	resBarred       = "RESULT_RIL_ACCESS_BARRED"
	resSIMAbsent    = "RESULT_RIL_SIM_ABSENT"
)

// cmsFaults holds <err> of +CMS ERROR. 0 to 127 are RP causes (TS 24.011 section 8.2.5.4 and
// annex E-2), 128 to 255 TP failure causes (TS 23.040 section 9.2.3.22), 300 to 511 are of
// TS 27.005 section 3.2.5, and 512 and above are the makers' own. The first row that holds a
// code counts, so that ranges of reserved codes come last. What to do about each is our reading;
// where a code may mean that the service centre holds the message, it is Ambiguous.
var cmsFaults = []causeRow{
	{1, 1, Permanent, "unassigned (unallocated) number", resArguments, 0, 0, ""},
	{8, 8, SIMFault, "operator determined barring", resBarred, 0, 0, "operator-barred"},
	{10, 10, SIMFault, "call barred", resBarred, 0, 0, "call-barred"},
	{17, 17, Transient, "network failure", resNetwork, retryLater, 0, ""},
	{21, 21, Permanent, "short message transfer rejected", resReject, 0, 0, ""},
	{22, 22, Transient, "congestion", resRateLimited, retrySlow, 0, ""},
	{27, 27, Transient, "destination out of service", resNetwork, retryLong, 0, ""},
	{28, 28, SIMFault, "unidentified subscriber", resReject, 0, 0, "unidentified-subscriber"},
	{29, 29, SIMFault, "facility rejected", resReject, 0, 0, "facility-rejected"},
	{30, 30, SIMFault, "unknown subscriber", resReject, 0, 0, "unknown-subscriber"},
	{31, 31, Transient, "normal, unspecified", resGeneric, retrySoon, 0, ""},
	{34, 34, ModemFault, "module error", resModem, modemSettle, 0, ""},
	// The MSC reports a time-out or failure towards the service centre as 38 (TS 23.040
	// section 11). It recurs for one bad number, hence the long wait.
	{38, 38, Transient, "network out of order", resNetwork, retryLong, 0, ""},
	{41, 41, Transient, "temporary failure", resNetwork, retrySoon, 0, ""},
	{42, 42, Transient, "congestion", resRateLimited, retrySlow, 0, ""},
	{47, 47, Transient, "resources unavailable, unspecified", resResources, retryLater, 0, ""},
	{50, 50, SIMFault, "requested facility not subscribed", resNotAllowed, 0, 0, "sms-not-subscribed"},
	{69, 69, SIMFault, "requested facility not implemented", resNotSupported, 0, 0, "sms-not-implemented"},
	{81, 81, Transient, "invalid short message transfer reference value", resNetwork, retrySoon, 0, ""},
	{95, 95, Permanent, "invalid message, unspecified", resFormat, 0, 0, ""},
	{96, 96, Permanent, "invalid mandatory information", resFormat, 0, 0, ""},
	{97, 97, Permanent, "message type non-existent or not implemented", resFormat, 0, 0, ""},
	{98, 98, Transient, "message not compatible with short message protocol state", resState, retrySoon, 2, ""},
	{99, 99, Permanent, "information element non-existent or not implemented", resFormat, 0, 0, ""},
	{111, 111, Transient, "protocol error, unspecified", resNetwork, retryLater, 2, ""},
	// The network behind gives no cause and may have delivered.
	{127, 127, Ambiguous, "interworking, unspecified", resNetwork, 0, 0, ""},
	// A mobile treats a cause it does not know as 41 (TS 24.011 section 8.2.5.4).
	{0, 127, Transient, "reserved cause, as temporary failure", resNetwork, retrySoon, 0, ""},

	{128, 128, Permanent, "telematic interworking not supported", resNotSupported, 0, 0, ""},
	{129, 129, Permanent, "short message type 0 not supported", resNotSupported, 0, 0, ""},
	{130, 130, Permanent, "cannot replace short message", resReject, 0, 0, ""},
	{143, 143, Permanent, "unspecified TP-PID error", resFormat, 0, 0, ""},
	{144, 144, Permanent, "data coding scheme (alphabet) not supported", resEncoding, 0, 0, ""},
	{145, 145, Permanent, "message class not supported", resNotSupported, 0, 0, ""},
	{159, 159, Permanent, "unspecified TP-DCS error", resEncoding, 0, 0, ""},
	{160, 160, Permanent, "command cannot be actioned", resReject, 0, 0, ""},
	{161, 161, Permanent, "command unsupported", resNotSupported, 0, 0, ""},
	{175, 175, Permanent, "unspecified TP-command error", resFormat, 0, 0, ""},
	{176, 176, Permanent, "TPDU not supported", resNotSupported, 0, 0, ""},
	{192, 192, Transient, "SC busy", resRateLimited, retrySlow, 0, ""},
	{193, 193, SIMFault, "no SC subscription", resReject, 0, 0, "no-sc-subscription"},
	{194, 194, Transient, "SC system failure", resNetwork, retryLong, 0, ""},
	{195, 195, Permanent, "invalid SME address", resArguments, 0, 0, ""},
	{196, 196, Permanent, "destination SME barred", resBarred, 0, 0, ""},
	{197, 197, Permanent, "SM rejected, duplicate SM", resReject, 0, 0, ""},
	{198, 198, Permanent, "TP-VPF not supported", resFormat, 0, 0, ""},
	{199, 199, Permanent, "TP-VP not supported", resFormat, 0, 0, ""},
	{208, 208, ModemFault, "(U)SIM SMS storage full", resMemory, retryLater, 0, "storage-full"},
	{209, 209, ModemFault, "no SMS storage capability in (U)SIM", resMemory, retryLater, 0, "storage-full"},
	{210, 210, ModemFault, "error in MS", resModem, modemSettle, 0, ""},
	{211, 211, ModemFault, "memory capacity exceeded", resMemory, retryLater, 0, "storage-full"},
	{212, 212, Transient, "(U)SIM application toolkit busy", resResources, retrySoon, 0, ""},
	{213, 213, Transient, "(U)SIM data download error", resGeneric, retryLater, 0, ""},
	{224, 254, Transient, "application-specific failure cause", resReject, retryLater, 2, ""},
	{255, 255, Transient, "unspecified error cause", resGeneric, retryLater, 2, ""},
	{128, 255, Transient, "reserved TP failure cause", resNetwork, retryLater, 0, ""},

	{300, 300, ModemFault, "ME failure", resModem, modemSettle, 0, ""},
	{301, 301, Transient, "SMS service of ME reserved", resResources, retrySoon, 0, ""},
	{302, 302, ModemFault, "operation not allowed", resNotAllowed, modemSettle, 0, ""},
	{303, 303, Permanent, "operation not supported", resNotSupported, 0, 0, ""},
	{304, 304, Permanent, "invalid PDU mode parameter", resFormat, 0, 0, ""},
	// The dongle fell back to text mode: the new session sets CMGF=0.
	{305, 305, ModemFault, "invalid text mode parameter", resArguments, retrySoon, 0, ""},
	{310, 310, ModemFault, "(U)SIM not inserted", resSIMAbsent, retryLater, 0, ProblemNoSIM},
	{311, 311, ModemFault, "(U)SIM PIN required", resState, modemSettle, 0, ProblemPINNeeded},
	{312, 312, SIMFault, "PH-(U)SIM PIN required", resNotAllowed, 0, 0, ProblemSIMLocked},
	{313, 313, ModemFault, "(U)SIM failure", resModem, modemSettle, 0, ProblemSIMFailure},
	{314, 314, Transient, "(U)SIM busy", resResources, retrySIM, 0, ""},
	{315, 315, SIMFault, "(U)SIM wrong", resNotAllowed, 0, 0, ProblemSIMFailure},
	{316, 316, SIMFault, "(U)SIM PUK required", resState, 0, 0, ProblemPUKNeeded},
	{317, 317, SIMFault, "(U)SIM PIN2 required", resState, 0, 0, "pin2-needed"},
	{318, 318, SIMFault, "(U)SIM PUK2 required", resState, 0, 0, "puk2-needed"},
	{320, 320, ModemFault, "memory failure", resMemory, modemSettle, 0, ""},
	{322, 322, ModemFault, "memory full", resMemory, retryLater, 0, "storage-full"},
	{330, 330, SIMFault, "SMSC address unknown", resSMSC, 0, 0, "smsc-unknown"},
	{331, 331, ModemFault, "no network service", resNoService, retrySoon, 0, ""},
	{332, 332, Ambiguous, "network timeout", resNetwork, 0, 0, ""},
	// Quectel EG06: seen 135 s after the PDU.
	{350, 350, Ambiguous, "unspecified by the standard; seen after the network fell silent", resNetwork, 0, 0, ""},
	{500, 500, Ambiguous, "unknown error", resModem, 0, 0, ""},
	{300, 511, ModemFault, "reserved ME cause", resModem, modemSettle, 0, ""},

	// Siemens/Cinterion and Wavecom give the same numbers different meanings: "S:", "W:". The
	// more careful action counts.
	{512, 512, Transient, "S: user abort; W: MM establishment failure", resNetwork, retrySoon, 0, ""},
	{513, 513, Ambiguous, "S: unable to store; W: lower layer failure", resNetwork, 0, 0, ""},
	{514, 514, Transient, "S: invalid status; W: CP error", resNetwork, retryLater, 0, ""},
	{515, 515, ModemFault, "S: invalid character in address; others: please wait, init or command in progress", resResources, retrySIM, 0, ""},
	{516, 516, Permanent, "S: invalid length", resFormat, 0, 0, ""},
	{517, 517, Permanent, "S: invalid character in PDU", resFormat, 0, 0, ""},
	{518, 518, Transient, "W: SIM toolkit facility", resResources, retrySoon, 0, ""},
	{519, 519, Permanent, "S: invalid length or character", resFormat, 0, 0, ""},
	{520, 520, Transient, "S: invalid character in text; W: SIM toolkit busy", resResources, retrySoon, 2, ""},
	{521, 521, Ambiguous, "S: timer expired", resNetwork, 0, 0, ""},
	{522, 522, Transient, "S: operation temporarily not allowed", resNotAllowed, retrySoon, 0, ""},
	{526, 529, ModemFault, "W: storage or status failure", resMemory, modemSettle, 0, ""},
	{531, 531, Permanent, "W: fixed dialling refuses the number", resFDN, 0, 0, ""},
	{532, 532, ModemFault, "S: SIM not ready", resResources, retrySIM, 0, ""},
	{534, 535, Transient, "S: service busy", resResources, retrySoon, 0, ""},
	{538, 538, Permanent, "S: invalid parameter", resArguments, 0, 0, ""},
	{549, 551, Permanent, "S: invalid PDU", resFormat, 0, 0, ""},
	{553, 554, Permanent, "S: invalid PDU", resFormat, 0, 0, ""},
	{615, 616, Transient, "S: network failure", resNetwork, retryLater, 0, ""},
	{770, 770, SIMFault, "SIM invalid", resNotAllowed, 0, 0, ProblemSIMFailure},
	{772, 772, ModemFault, "SIM powered down", resSIMAbsent, modemSettle, 0, ProblemNoSIM},
}

// unknownCMS: nothing says that the service centre did not get the message.
func unknownCMS(int) causeRow {
	return causeRow{action: Ambiguous, text: "unknown to the standard", result: resGeneric}
}
