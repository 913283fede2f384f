package modem

// cmeFaults holds <err> of +CME ERROR (TS 27.007 section 9.2), which some dongles give in
// answer to message commands too.
var cmeFaults = []causeRow{
	{0, 0, ModemFault, "phone failure", resModem, modemSettle, 0, ""},
	{1, 1, ModemFault, "no connection to phone", resModem, modemSettle, 0, ""},
	{2, 2, ModemFault, "phone-adaptor link reserved", resModem, modemSettle, 0, ""},
	{3, 3, Transient, "operation not allowed", resNotAllowed, retrySoon, 0, ""},
	{4, 4, Permanent, "operation not supported", resNotSupported, 0, 0, ""},
	{5, 7, SIMFault, "PH-SIM PIN required", resNotAllowed, 0, 0, ProblemSIMLocked},
	{10, 10, ModemFault, "SIM not inserted", resSIMAbsent, retryLater, 0, ProblemNoSIM},
	{11, 11, ModemFault, "SIM PIN required", resState, modemSettle, 0, ProblemPINNeeded},
	{12, 12, SIMFault, "SIM PUK required", resState, 0, 0, ProblemPUKNeeded},
	{13, 13, ModemFault, "SIM failure", resModem, modemSettle, 0, ProblemSIMFailure},
	{14, 14, Transient, "SIM busy", resResources, retrySIM, 0, ""},
	{15, 15, SIMFault, "SIM wrong", resNotAllowed, 0, 0, ProblemSIMFailure},
	{16, 16, SIMFault, "incorrect password", resState, 0, 0, ProblemPINRefused},
	{17, 17, SIMFault, "SIM PIN2 required", resState, 0, 0, "pin2-needed"},
	{18, 18, SIMFault, "SIM PUK2 required", resState, 0, 0, "puk2-needed"},
	{20, 20, ModemFault, "memory full", resMemory, retryLater, 0, "storage-full"},
	{21, 21, Permanent, "invalid index", resArguments, 0, 0, ""},
	{22, 22, Permanent, "not found", resArguments, 0, 0, ""},
	{23, 23, ModemFault, "memory failure", resMemory, modemSettle, 0, ""},
	{24, 24, Permanent, "text string too long", resFormat, 0, 0, ""},
	{25, 25, Permanent, "invalid characters in text string", resFormat, 0, 0, ""},
	{26, 26, Permanent, "dial string too long", resArguments, 0, 0, ""},
	{27, 27, Permanent, "invalid characters in dial string", resArguments, 0, 0, ""},
	{30, 30, ModemFault, "no network service", resNoService, retrySoon, 0, ""},
	{31, 31, Ambiguous, "network timeout", resNetwork, 0, 0, ""},
	{32, 32, SIMFault, "network not allowed, emergency calls only", resNoService, 0, 0, "emergency-only"},
	{40, 48, SIMFault, "personalisation code required", resNotAllowed, 0, 0, ProblemSIMLocked},
	{50, 50, Permanent, "incorrect parameters", resArguments, 0, 0, ""},
	{100, 100, Ambiguous, "unknown", resModem, 0, 0, ""},
	{103, 103, SIMFault, "illegal MS", resReject, 0, 0, "network-refuses-sim"},
	{106, 106, SIMFault, "illegal ME", resReject, 0, 0, "network-refuses-modem"},
	{107, 107, SIMFault, "GPRS services not allowed", resReject, 0, 0, "network-refuses-sim"},
	{111, 111, SIMFault, "PLMN not allowed", resReject, 0, 0, "network-refuses-sim"},
	{112, 112, SIMFault, "location area not allowed", resReject, 0, 0, "network-refuses-sim"},
	{113, 113, SIMFault, "roaming not allowed in this location area", resReject, 0, 0, "network-refuses-sim"},
	{132, 132, Transient, "service option not supported", resNotSupported, retryLater, 2, ""},
	{133, 133, SIMFault, "requested service option not subscribed", resNotAllowed, 0, 0, "sms-not-subscribed"},
	{134, 134, Transient, "service option temporarily out of order", resNetwork, retryLater, 0, ""},
	{148, 148, Transient, "unspecified GPRS error", resNetwork, retryLater, 0, ""},
	{149, 149, SIMFault, "PDP authentication failure", resReject, 0, 0, "network-refuses-sim"},
	{150, 150, Permanent, "invalid mobile class", resNotSupported, 0, 0, ""},
}

// unknownCME: nothing says that the service centre did not get the message.
func unknownCME(int) causeRow {
	return causeRow{action: Ambiguous, text: "unknown to the standard", result: resGeneric}
}
