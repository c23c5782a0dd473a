// Package registry knows parties, keys, places, company prefixes, licences, products, lots and recalls at a ledger position.
package registry

// Act registers or changes a party (item kind 12).
type Act struct {
	Party, Name string
	Roles       []string
	Keys        []Key
	GLNs        []string
	Prefixes    []string
	Licences    []Licence
	Places      []Place
	Suspended   string // "true", "false" or empty
	RevokedKeys [][]byte
	Note        string
}

// Key is a public key and its use: event, authority, cosign or vote.
type Key struct {
	PublicKey []byte
	Use       string
}

// Licence is an authorisation under FD&C Act section 581(2). Dates are YYYY-MM-DD.
type Licence struct{ Number, Kind, Jurisdiction, ValidFrom, ValidTo string }

// Place is a site with its address.
type Place struct{ ID, Name, StreetOne, StreetTwo, City, State, PostalCode, Country string }

// Product is master data of one trade item (item kind 13).
type Product struct {
	GTIN, NDC, NDCFormat, Name, Manufacturer, DosageForm, Strength, NetContent string
	CompanyPrefixLength                                                        uint32
	ContainsGTIN                                                               string
	ContainsCount                                                              uint32
}

// Lot is a registered lot (item kind 14).
type Lot struct {
	GTIN, Lot, Expiry string
	Size              uint64
	ManufacturedOn    string
}

// Recall is a recall of a lot, of all lots of a GTIN, or of units (item kind 15).
type Recall struct {
	RecallNumber, GTIN, Lot, Classification, Depth, Reason, InitiatedOn, Status string
	Units                                                                       []string
}

// Resolution, Grant, Anchor and Governance are items 16 to 19, reserved under rules version 1.
type Resolution struct {
	Height        uint64
	Entry, Item   uint32
	Code, Outcome string
	Note          string
	Units         []string
}

// Grant is item kind 17.
type Grant struct {
	Grantee, Scope, Purpose, ValidFrom, ValidTo string
	Units                                       []string
}

// Anchor is item kind 18.
type Anchor struct {
	Log  string
	Size uint64
	Root []byte
}

// Governance is item kind 19.
type Governance struct {
	Act             string
	EffectiveHeight uint64
	Payload         []byte
	Signatures      []GovernanceSignature
}

// GovernanceSignature is one organisation's signature.
type GovernanceSignature struct{ KeyID, Signature []byte }
