// Package templates keeps texts with places for values, in versions and languages, as a room of the store.
//
// # Text
//
// A place is {{key}}, with spaces around the key if one likes. A key has 1 to 64 letters,
// digits, dots, hyphens and underscores, and its case matters. There is no logic, and no escape: one
// brace alone is text; two that are no place, or three in a row, are a fault when the version is made. A text is filled in
// one pass, so that what stands in a value stays as it is, braces included.
//
// # Variables
//
// A variable belongs to a version, not to one of its texts: whoever fills it needs to know nothing of
// languages. It is required unless it says that it is not, or has a default; what is not required and not
// given is the default, or nothing. A key that is in a text and was not declared is a required variable.
//
// # Versions
//
// A version begins as a draft, which may be changed and removed. Active versions may be used; any number
// can be active at a time, and [Latest] is the one of them with the highest number. A retired version is
// refused to whoever asks for it, and may be activated again. From its first activation on a version
// never changes, so that who names it gets the same text for good. A number is never given twice.
//
// # Languages
//
// A locale is a tag of BCP 47, in any case. A text is found as RFC 4647 section 3.4 looks tags up: the
// whole tag, then without its last parts down to the language alone, then the version's default locale.
//
// # Layout
//
//	templates    id → project with all of its versions, as JSON
package templates
