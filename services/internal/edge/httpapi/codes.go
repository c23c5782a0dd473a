package httpapi

import "net/http"

// Code names a problem for ever. A code is never renamed and never changes its status.
type Code string

// The codes of every service. Their statuses, titles and EPCIS names are in [Lookup]'s table and nowhere else.
const (
	MalformedRequest     Code = "malformed_request"
	MissingParameter     Code = "missing_parameter"
	InvalidParameter     Code = "invalid_parameter"
	InvalidIdentifier    Code = "invalid_identifier"
	MalformedDocument    Code = "malformed_document"
	InvalidEvent         Code = "invalid_event"
	EventsRefused        Code = "events_refused"
	EmptyDocument        Code = "empty_document"
	FutureEvent          Code = "future_event"
	RoleForbidden        Code = "role_forbidden"
	GTINNotOwned         Code = "gtin_not_owned"
	KeyUnknown           Code = "key_unknown"
	OnboardingForbidden  Code = "onboarding_forbidden"
	Forbidden            Code = "forbidden"
	NotFound             Code = "not_found"
	JobNotFound          Code = "job_not_found"
	MethodNotAllowed     Code = "method_not_allowed"
	NotAcceptable        Code = "not_acceptable"
	RequestTimeout       Code = "request_timeout"
	IdempotencyKeyReused Code = "idempotency_key_reused"
	BodyTooLarge         Code = "body_too_large"
	CaptureLimitExceeded Code = "capture_limit_exceeded"
	EventTooLarge        Code = "event_too_large"
	URITooLong           Code = "uri_too_long"
	UnsupportedMediaType Code = "unsupported_media_type"
	AmbiguousScan        Code = "ambiguous_scan"
	PartyUnknown         Code = "party_unknown"
	PlaceUnknown         Code = "place_unknown"
	PrefixUnknown        Code = "prefix_unknown"
	Internal             Code = "internal"
	NotReady             Code = "not_ready"
	Unavailable          Code = "unavailable"
	WaitTimeout          Code = "wait_timeout"
	EventRejected        Code = "event_rejected"
	EventExists          Code = "event_exists"
	CaptureBusy          Code = "capture_busy"
	StorageFull          Code = "storage_full"

	// Of what the ledger's rules would not take, asked of the api before anything is captured.
	GoodsSuspect           Code = "goods_suspect"
	GoodsRecalled          Code = "goods_recalled"
	GoodsQuarantined       Code = "goods_quarantined"
	GoodsExpired           Code = "goods_expired"
	GoodsUnreleasedReturn  Code = "goods_unreleased_return"
	PartnerNotAuthorized   Code = "partner_not_authorized"
	ActorNotAuthorized     Code = "actor_not_authorized"
	ReturnNotSold          Code = "return_not_sold"
	ShipmentWithoutParties Code = "shipment_without_parties"
	GoodsNotHeld           Code = "goods_not_held"
	GoodsOnTheirWay        Code = "goods_on_their_way"
	GoodsUsedUp            Code = "goods_used_up"
	EventIDReused          Code = "event_id_reused"
	ResolveForbidden       Code = "resolve_forbidden"
	RefusedByRules         Code = "refused_by_rules"
	TakeBackBlocked        Code = "take_back_blocked"
	TakeBackNotAuthor      Code = "take_back_not_author"

	// Of sign-in, and of what a partner service passes on to its api.
	SignInRequired  Code = "sign_in_required"
	SignInFailed    Code = "sign_in_failed"
	CrossOrigin     Code = "cross_origin"
	TooManyAttempts Code = "too_many_attempts"
	APIUnavailable  Code = "api_unavailable"

	// Of the query side.
	UnknownLot       Code = "unknown_lot"
	UnknownBlock     Code = "unknown_block"
	UnknownRecall    Code = "unknown_recall"
	UnknownParty     Code = "unknown_party"
	UnknownEvent     Code = "unknown_event"
	PageTokenInvalid Code = "page_token_invalid"
	ProofUnavailable Code = "proof_unavailable"
	TooManyListeners Code = "too_many_listeners"

	// Of EPCIS queries.
	ReadNeedsSignIn  Code = "read_needs_sign_in"
	CallerUnknown    Code = "caller_unknown"
	InvalidQuery     Code = "invalid_query"
	UnknownParameter Code = "unknown_parameter"
	UnknownValue     Code = "unknown_value"
	QueryTooLarge    Code = "query_too_large"
	QueryTooComplex  Code = "query_too_complex"
	NotImplemented   Code = "not_implemented"

	// Of standing queries.
	UnknownQuery         Code = "unknown_query"
	UnknownSubscription  Code = "unknown_subscription"
	QueryExists          Code = "query_exists"
	SubscriptionControls Code = "subscription_controls"
	DestinationRefused   Code = "destination_refused"
	StandingLimit        Code = "standing_limit"
)

// Spec is what a code always means.
type Spec struct {
	Status int
	Title  string
	EPCIS  string // exception name of EPCIS 2.0, for EPCIS endpoints
}

const (
	validation     = "ValidationException"
	security       = "SecurityException"
	noSuchResource = "NoSuchNameException" // what the OpenAPI file allows; its own example says NoSuchResourceException
	implementation = "ImplementationException"
	captureLimit   = "CaptureLimitExceededException"
	queryParameter = "QueryParameterException"
)

var table = map[Code]Spec{
	MalformedRequest:       {http.StatusBadRequest, "The request cannot be read", validation},
	MissingParameter:       {http.StatusBadRequest, "A parameter is missing", queryParameter},
	InvalidParameter:       {http.StatusBadRequest, "A parameter has a value that is not allowed", queryParameter},
	InvalidIdentifier:      {http.StatusBadRequest, "An identifier is malformed", validation},
	MalformedDocument:      {http.StatusBadRequest, "The document cannot be read", validation},
	InvalidEvent:           {http.StatusBadRequest, "An event does not follow the standard", validation},
	EventsRefused:          {http.StatusBadRequest, "Events of the document were refused", validation},
	EmptyDocument:          {http.StatusBadRequest, "The document holds no event", validation},
	FutureEvent:            {http.StatusBadRequest, "An event lies in the future", validation},
	EventRejected:          {http.StatusBadRequest, "The network rejected the event", validation},
	PageTokenInvalid:       {http.StatusBadRequest, "The page token is not one of ours", queryParameter},
	SignInRequired:         {http.StatusUnauthorized, "Changing something needs a sign-in", security},
	SignInFailed:           {http.StatusUnauthorized, "The token is not the one of this service", security},
	CrossOrigin:            {http.StatusForbidden, "A page of another address may not do this", security},
	ReadNeedsSignIn:        {http.StatusUnauthorized, "Reading this needs a sign-in", security},
	CallerUnknown:          {http.StatusUnauthorized, "The token does not say who asks", security},
	InvalidQuery:           {http.StatusBadRequest, "The query does not follow the standard", "QueryValidationException"},
	UnknownParameter:       {http.StatusBadRequest, "There is no such query parameter", queryParameter},
	UnknownValue:           {http.StatusNotFound, "No event has this value", noSuchResource},
	QueryTooLarge:          {http.StatusRequestEntityTooLarge, "More events match than the query allows", "QueryTooLargeException"},
	NotImplemented:         {http.StatusNotImplemented, "This is not offered", implementation},
	RoleForbidden:          {http.StatusForbidden, "The party's role does not allow this step", security},
	GTINNotOwned:           {http.StatusForbidden, "The GTIN belongs to another company", security},
	KeyUnknown:             {http.StatusForbidden, "The signing key is not registered", security},
	OnboardingForbidden:    {http.StatusForbidden, "Onboarding is for development networks only", security},
	Forbidden:              {http.StatusForbidden, "Not allowed", security},
	NotFound:               {http.StatusNotFound, "There is nothing at this address", noSuchResource},
	JobNotFound:            {http.StatusNotFound, "There is no such capture job", noSuchResource},
	UnknownLot:             {http.StatusNotFound, "The lot is not recorded", noSuchResource},
	UnknownBlock:           {http.StatusNotFound, "There is no such block", noSuchResource},
	UnknownRecall:          {http.StatusNotFound, "The recall is not recorded", noSuchResource},
	UnknownParty:           {http.StatusNotFound, "The party is not registered", noSuchResource},
	UnknownEvent:           {http.StatusNotFound, "The event is not recorded", noSuchResource},
	ProofUnavailable:       {http.StatusNotFound, "There is nothing to prove", noSuchResource},
	MethodNotAllowed:       {http.StatusMethodNotAllowed, "The method is not allowed here", implementation},
	NotAcceptable:          {http.StatusNotAcceptable, "The answer cannot be written as asked", "NotAcceptableException"},
	RequestTimeout:         {http.StatusRequestTimeout, "The request did not arrive in time", implementation},
	IdempotencyKeyReused:   {http.StatusConflict, "The idempotency key was used for another request", "ResourceAlreadyExistsException"},
	EventExists:            {http.StatusConflict, "The event is recorded already", "ResourceAlreadyExistsException"},
	BodyTooLarge:           {http.StatusRequestEntityTooLarge, "The body is too large", captureLimit},
	CaptureLimitExceeded:   {http.StatusRequestEntityTooLarge, "The document exceeds the capture limits", captureLimit},
	EventTooLarge:          {http.StatusRequestEntityTooLarge, "An event names too many units", captureLimit},
	URITooLong:             {http.StatusRequestURITooLong, "The address is too long", "URITooLongException"},
	UnsupportedMediaType:   {http.StatusUnsupportedMediaType, "The body's format is not supported", "UnsupportedMediaTypeException"},
	AmbiguousScan:          {http.StatusUnprocessableEntity, "The scan can be read in more than one way", validation},
	PartyUnknown:           {http.StatusUnprocessableEntity, "A named party is not registered", validation},
	PlaceUnknown:           {http.StatusUnprocessableEntity, "No place is known for the step", validation},
	PrefixUnknown:          {http.StatusUnprocessableEntity, "No company prefix is known to number with", validation},
	TooManyAttempts:        {http.StatusTooManyRequests, "Too many failed attempts to sign in", security},
	Internal:               {http.StatusInternalServerError, "Something went wrong inside", implementation},
	NotReady:               {http.StatusServiceUnavailable, "The service is not ready", implementation},
	TooManyListeners:       {http.StatusServiceUnavailable, "Too many listen already", implementation},
	Unavailable:            {http.StatusServiceUnavailable, "The service cannot do this now", implementation},
	CaptureBusy:            {http.StatusServiceUnavailable, "Too many large documents at a time", implementation},
	APIUnavailable:         {http.StatusServiceUnavailable, "The api service does not answer", implementation},
	UnknownQuery:           {http.StatusNotFound, "There is no such named query", noSuchResource},
	UnknownSubscription:    {http.StatusNotFound, "There is no such subscription", noSuchResource},
	QueryExists:            {http.StatusConflict, "A query of this name exists", "ResourceAlreadyExistsException"},
	QueryTooComplex:        {http.StatusRequestEntityTooLarge, "The query needs too much work", "QueryTooComplexException"},
	SubscriptionControls:   {http.StatusBadRequest, "When to send is not said, or not in a way that can be followed", "SubscriptionControlsException"},
	DestinationRefused:     {http.StatusBadRequest, "Nothing is sent to this destination", validation},
	StandingLimit:          {http.StatusForbidden, "No more standing queries can be kept", security},
	GoodsSuspect:           {http.StatusConflict, "The goods are suspect or illegitimate", validation},
	GoodsRecalled:          {http.StatusConflict, "The goods are under a recall", validation},
	GoodsQuarantined:       {http.StatusConflict, "The goods are in quarantine, damaged or on hold", validation},
	GoodsExpired:           {http.StatusConflict, "The goods have expired", validation},
	GoodsUnreleasedReturn:  {http.StatusConflict, "The goods came back and were not released", validation},
	PartnerNotAuthorized:   {http.StatusConflict, "The other party is no authorized trading partner", validation},
	ActorNotAuthorized:     {http.StatusForbidden, "The party has no licence for this step", security},
	ReturnNotSold:          {http.StatusConflict, "The goods go back to a party that did not sell them", validation},
	ShipmentWithoutParties: {http.StatusBadRequest, "The shipment does not name seller and buyer", validation},
	GoodsNotHeld:           {http.StatusConflict, "The goods are with another company", validation},
	GoodsOnTheirWay:        {http.StatusConflict, "The goods are on their way already", validation},
	GoodsUsedUp:            {http.StatusConflict, "The goods were dispensed, destroyed or taken out of use", validation},
	EventIDReused:          {http.StatusConflict, "Another event has this id", "ResourceAlreadyExistsException"},
	ResolveForbidden:       {http.StatusForbidden, "The party may not close the finding", security},
	RefusedByRules:         {http.StatusConflict, "The rules of the ledger refuse it", validation},
	TakeBackBlocked:        {http.StatusConflict, "Later events build upon the event", validation},
	TakeBackNotAuthor:      {http.StatusForbidden, "Another party recorded the event", security},
	WaitTimeout:            {http.StatusGatewayTimeout, "It did not happen in time", implementation},
	StorageFull:            {http.StatusInsufficientStorage, "The disk of the service is full", implementation},
}

// Lookup returns what a code means; a code outside the table is a programming error and reads as internal.
func Lookup(c Code) Spec {
	if s, ok := table[c]; ok {
		return s
	}
	return table[Internal]
}
