package epcisxml

// What the XML Schemas of EPCIS say, as a table: one line per type, in the order of the schemas. A line that begins with 1 or 2
// is of that version alone. TestTablesAreTheSchemas compares it with the official files.
//
//	Name = …          a complex type; its elements come in this order
//	<name> = Type     a global element
//	is:Type           a simple type of that base, with enum:A|B or a pattern
//	base:Type         extends it: its elements and attributes come first
//	simple:Type       text of that type, with attributes
//	mixed, abstract   as in XML Schema
//	name:Type         an element without namespace (in the SBDH: of its namespace); =name is a global element
//	? * + ~ ^         optional, any number, one or more, may be nil, only behind the element before it
//	choice* choice1   of what follows any number in any order; exactly one
//	&                 the place of the element before it: they may be mixed
//	##other ##local   an element of any foreign namespace; of none. Its content is judged as far as the schema knows it
//	@name:Type @*     an attribute, ! required; any attribute
//
// Left out is what no document of events or master data can hold: EPCISCaptureJob and EPCISException of 2.0.
const schemaTable = `
[epcglobal]
Document = abstract @schemaVersion:decimal! @creationDate:dateTime!
EPC = simple:string
[sbdh]
MimeTypeQualifier = is:string
Language = is:string
DocumentIdentification = Standard:string TypeVersion:string InstanceIdentifier:string Type:string MultipleType:boolean? CreationDateAndTime:dateTime
Partner = Identifier:PartnerIdentification ContactInformation:ContactInformation*
PartnerIdentification = simple:string @Authority:string
ContactInformation = Contact:string EmailAddress:string? FaxNumber:string? TelephoneNumber:string? ContactTypeIdentifier:string?
Manifest = NumberOfItems:integer ManifestItem:ManifestItem+
ManifestItem = MimeTypeQualifierCode:MimeTypeQualifier UniformResourceIdentifier:anyURI Description:string? LanguageCode:Language?
BusinessScope = Scope:Scope*
Scope = Type:string InstanceIdentifier:string Identifier:string? =CorrelationInformation* &=BusinessService*
<CorrelationInformation> = CorrelationInformation
CorrelationInformation = RequestingDocumentCreationDateTime:dateTime? RequestingDocumentInstanceIdentifier:string? ExpectedResponseDateTime:dateTime?
<BusinessService> = BusinessService
BusinessService = BusinessServiceName:string? ServiceTransaction:ServiceTransaction?
ServiceTransaction = @TypeOfServiceTransaction:TypeOfServiceTransaction @IsNonRepudiationRequired:string @IsAuthenticationRequired:string
	@IsNonRepudiationOfReceiptRequired:string @IsIntegrityCheckRequired:string @IsApplicationErrorResponseRequested:string
	@TimeToAcknowledgeReceipt:string @TimeToAcknowledgeAcceptance:string @TimeToPerform:string @Recurrence:string
TypeOfServiceTransaction = is:string enum:RequestingServiceTransaction|RespondingServiceTransaction
StandardBusinessDocumentHeader = HeaderVersion:string Sender:Partner+ Receiver:Partner+ DocumentIdentification:DocumentIdentification
	Manifest:Manifest? BusinessScope:BusinessScope?
<StandardBusinessDocumentHeader> = StandardBusinessDocumentHeader
<StandardBusinessDocument> = StandardBusinessDocument
StandardBusinessDocument = =StandardBusinessDocumentHeader? ##other
[epcis]
<EPCISDocument> = EPCISDocumentType
EPCISDocumentType = base:Document EPCISHeader:EPCISHeaderType? EPCISBody:EPCISBodyType extension:EPCISDocumentExtensionType? ##other* @*
EPCISDocumentExtensionType = ##local+ @*
1 EPCISHeaderType = =StandardBusinessDocumentHeader extension:EPCISHeaderExtensionType? ##other* @*
2 EPCISHeaderType = =StandardBusinessDocumentHeader? extension:EPCISHeaderExtensionType? @*
EPCISHeaderExtensionType = EPCISMasterData:EPCISMasterDataType? extension:EPCISHeaderExtension2Type? @*
EPCISHeaderExtension2Type = ##local+ @*
EPCISMasterDataType = VocabularyList:VocabularyListType extension:EPCISMasterDataExtensionType?
EPCISMasterDataExtensionType = ##local+
VocabularyListType = Vocabulary:VocabularyType*
VocabularyType = VocabularyElementList:VocabularyElementListType? extension:VocabularyExtensionType? ##other* @type:anyURI! @*
VocabularyElementListType = VocabularyElement:VocabularyElementType+
VocabularyElementType = attribute:AttributeType* children:IDListType? extension:VocabularyElementExtensionType? ##other* @id:anyURI! @*
AttributeType = mixed @id:anyURI! @*
IDListType = id:anyURI* @*
VocabularyExtensionType = ##local+ @*
VocabularyElementExtensionType = ##local+ @*
EPCISBodyType = EventList:EventListType? extension:EPCISBodyExtensionType? ##other* @*
EPCISBodyExtensionType = ##local+ @*
1 EventListType = choice* ObjectEvent:ObjectEventType* AggregationEvent:AggregationEventType* QuantityEvent:QuantityEventType*
	TransactionEvent:TransactionEventType* extension:EPCISEventListExtensionType @*
2 EventListType = choice* ObjectEvent:ObjectEventType* AggregationEvent:AggregationEventType* TransformationEvent:TransformationEventType*
	TransactionEvent:TransactionEventType* AssociationEvent:AssociationEventType* extension:EPCISEventListExtensionType @*
1 EPCISEventListExtensionType = choice1 TransformationEvent:TransformationEventType extension:EPCISEventListExtension2Type
2 EPCISEventListExtensionType = ##other+ @*
EPCListType = epc:EPC*
ActionType = is:string enum:ADD|OBSERVE|DELETE
ParentIDType = is:anyURI
BusinessStepIDType = is:anyURI
DispositionIDType = is:anyURI
2 PersistentDispositionType = unset:DispositionIDType* set:DispositionIDType*
EPCClassType = is:anyURI
UOMType = is:string
QuantityElementType = epcClass:EPCClassType quantity:decimal~? uom:UOMType?^
QuantityListType = quantityElement:QuantityElementType*
ReadPointIDType = is:anyURI
ReadPointType = id:ReadPointIDType extension:ReadPointExtensionType? ##other*
ReadPointExtensionType = ##local+ @*
BusinessLocationIDType = is:anyURI
BusinessLocationType = id:BusinessLocationIDType extension:BusinessLocationExtensionType? ##other*
BusinessLocationExtensionType = ##local+ @*
BusinessTransactionIDType = is:anyURI
BusinessTransactionTypeIDType = is:anyURI
BusinessTransactionType = simple:BusinessTransactionIDType @type:BusinessTransactionTypeIDType
BusinessTransactionListType = bizTransaction:BusinessTransactionType+
SourceDestIDType = is:anyURI
SourceDestTypeIDType = is:anyURI
SourceDestType = simple:SourceDestIDType @type:SourceDestTypeIDType!
SourceListType = source:SourceDestType+
DestinationListType = destination:SourceDestType+
TransformationIDType = is:anyURI
ILMDType = extension:ILMDExtensionType? ##other* @*
ILMDExtensionType = ##local+ @*
EventIDType = is:anyURI
ErrorReasonIDType = is:anyURI
CorrectiveEventIDsType = correctiveEventID:EventIDType*
1 ErrorDeclarationType = declarationTime:dateTime reason:ErrorReasonIDType? correctiveEventIDs:CorrectiveEventIDsType?
	extension:ErrorDeclarationExtensionType? ##other* @*
2 ErrorDeclarationType = choice* declarationTime:DateTimeStamp reason:ErrorReasonIDType? correctiveEventIDs:CorrectiveEventIDsType?
	extension:ErrorDeclarationExtensionType? ##other* @*
ErrorDeclarationExtensionType = ##local+ @*
1 EPCISEventType = abstract eventTime:dateTime recordTime:dateTime? eventTimeZoneOffset:string baseExtension:EPCISEventExtensionType? @*
2 EPCISEventType = abstract eventTime:DateTimeStamp recordTime:DateTimeStamp? eventTimeZoneOffset:string eventID:EventIDType?
	errorDeclaration:ErrorDeclarationType? certificationInfo:anyURI? baseExtension:EPCISEventExtensionType? @*
2 DateTimeStamp = is:dateTime pattern
1 EPCISEventExtensionType = eventID:EventIDType? errorDeclaration:ErrorDeclarationType? extension:EPCISEventExtension2Type? @*
2 EPCISEventExtensionType = ##other+ @*
2 SensorMetadataType = simple:string @time:DateTimeStamp @deviceID:anyURI @deviceMetadata:anyURI @rawData:anyURI @startTime:DateTimeStamp
	@endTime:DateTimeStamp @bizRules:anyURI @dataProcessingMethod:anyURI @*
2 SensorReportType = simple:string @type:anyURI @value:double @component:anyURI @stringValue:string @booleanValue:boolean @hexBinaryValue:hexBinary
	@uriValue:anyURI @uom:string @minValue:double @maxValue:double @sDev:double @chemicalSubstance:anyURI @microorganism:anyURI @deviceID:anyURI
	@deviceMetadata:anyURI @rawData:anyURI @time:DateTimeStamp @meanValue:double @percRank:double @percValue:double @dataProcessingMethod:anyURI
	@coordinateReferenceSystem:anyURI @exception:anyURI @*
2 SensorElementType = sensorMetadata:SensorMetadataType? sensorReport:SensorReportType+ extension:SensorElementExtensionType? ##other*
2 SensorElementExtensionType = ##local+ @*
2 SensorElementListType = sensorElement:SensorElementType+ extension:SensorElementListExtensionType?
2 SensorElementListExtensionType = ##local+ @*
1 ObjectEventType = base:EPCISEventType epcList:EPCListType action:ActionType bizStep:BusinessStepIDType? disposition:DispositionIDType?
	readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType? extension:ObjectEventExtensionType?
	##other* @*
2 ObjectEventType = base:EPCISEventType epcList:EPCListType? action:ActionType bizStep:BusinessStepIDType? disposition:DispositionIDType?
	readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType? quantityList:QuantityListType?
	sourceList:SourceListType? destinationList:DestinationListType? sensorElementList:SensorElementListType?
	persistentDisposition:PersistentDispositionType? ilmd:ILMDType? extension:ObjectEventExtensionType? ##other* @*
1 ObjectEventExtensionType = quantityList:QuantityListType? sourceList:SourceListType? destinationList:DestinationListType? ilmd:ILMDType?
	extension:ObjectEventExtension2Type? @*
2 ObjectEventExtensionType = ##other+ @*
1 AggregationEventType = base:EPCISEventType parentID:ParentIDType? childEPCs:EPCListType action:ActionType bizStep:BusinessStepIDType?
	disposition:DispositionIDType? readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType?
	extension:AggregationEventExtensionType? ##other* @*
2 AggregationEventType = base:EPCISEventType parentID:ParentIDType? childEPCs:EPCListType? action:ActionType bizStep:BusinessStepIDType?
	disposition:DispositionIDType? readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType?
	childQuantityList:QuantityListType? sourceList:SourceListType? destinationList:DestinationListType? sensorElementList:SensorElementListType?
	persistentDisposition:PersistentDispositionType? extension:AggregationEventExtensionType? ##other* @*
1 AggregationEventExtensionType = childQuantityList:QuantityListType? sourceList:SourceListType? destinationList:DestinationListType?
	extension:AggregationEventExtension2Type? @*
2 AggregationEventExtensionType = ##other+ @*
1 TransactionEventType = base:EPCISEventType bizTransactionList:BusinessTransactionListType parentID:ParentIDType? epcList:EPCListType
	action:ActionType bizStep:BusinessStepIDType? disposition:DispositionIDType? readPoint:ReadPointType? bizLocation:BusinessLocationType?
	extension:TransactionEventExtensionType? ##other* @*
2 TransactionEventType = base:EPCISEventType bizTransactionList:BusinessTransactionListType parentID:ParentIDType? epcList:EPCListType?
	action:ActionType bizStep:BusinessStepIDType? disposition:DispositionIDType? readPoint:ReadPointType? bizLocation:BusinessLocationType?
	quantityList:QuantityListType? sourceList:SourceListType? destinationList:DestinationListType? sensorElementList:SensorElementListType?
	persistentDisposition:PersistentDispositionType? extension:TransactionEventExtensionType? ##other* @*
1 TransactionEventExtensionType = quantityList:QuantityListType? sourceList:SourceListType? destinationList:DestinationListType?
	extension:TransactionEventExtension2Type? @*
2 TransactionEventExtensionType = ##other+ @*
1 TransformationEventType = base:EPCISEventType inputEPCList:EPCListType? inputQuantityList:QuantityListType? outputEPCList:EPCListType?
	outputQuantityList:QuantityListType? transformationID:TransformationIDType? bizStep:BusinessStepIDType? disposition:DispositionIDType?
	readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType? sourceList:SourceListType?
	destinationList:DestinationListType? ilmd:ILMDType? extension:TransformationEventExtensionType? ##other* @*
2 TransformationEventType = base:EPCISEventType inputEPCList:EPCListType? inputQuantityList:QuantityListType? outputEPCList:EPCListType?
	outputQuantityList:QuantityListType? transformationID:TransformationIDType? bizStep:BusinessStepIDType? disposition:DispositionIDType?
	readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType? sourceList:SourceListType?
	destinationList:DestinationListType? sensorElementList:SensorElementListType? persistentDisposition:PersistentDispositionType? ilmd:ILMDType?
	extension:TransformationEventExtensionType? ##other* @*
1 TransformationEventExtensionType = ##local+ @*
2 TransformationEventExtensionType = ##other+ @*
2 AssociationEventType = base:EPCISEventType parentID:ParentIDType childEPCs:EPCListType? childQuantityList:QuantityListType? action:ActionType
	bizStep:BusinessStepIDType? disposition:DispositionIDType? readPoint:ReadPointType? bizLocation:BusinessLocationType?
	bizTransactionList:BusinessTransactionListType? sourceList:SourceListType? destinationList:DestinationListType?
	sensorElementList:SensorElementListType? persistentDisposition:PersistentDispositionType? extension:AssociationEventExtensionType? ##other* @*
2 AssociationEventExtensionType = ##other+ @*
1 EPCISEventListExtension2Type = ##local+ @*
1 EPCISEventExtension2Type = ##local+ @*
1 ObjectEventExtension2Type = ##local+ @*
1 AggregationEventExtension2Type = ##local+ @*
1 QuantityEventType = base:EPCISEventType epcClass:EPCClassType quantity:int bizStep:BusinessStepIDType? disposition:DispositionIDType?
	readPoint:ReadPointType? bizLocation:BusinessLocationType? bizTransactionList:BusinessTransactionListType? extension:QuantityEventExtensionType?
	##other* @*
1 QuantityEventExtensionType = ##local+ @*
1 TransactionEventExtension2Type = ##local+ @*
[epcismd]
<EPCISMasterDataDocument> = EPCISMasterDataDocumentType
EPCISMasterDataDocumentType = base:Document EPCISHeader:EPCISHeaderType? EPCISBody:EPCISMasterDataBodyType
	extension:EPCISMasterDataDocumentExtensionType? ##other* @*
EPCISMasterDataBodyType = VocabularyList:VocabularyListType? extension:EPCISMasterDataBodyExtensionType? ##other* @*
EPCISMasterDataDocumentExtensionType = ##local+ @*
EPCISMasterDataHeaderExtensionType = ##local+ @*
EPCISMasterDataBodyExtensionType = ##local+ @*
[epcisq]
<EPCISQueryDocument> = EPCISQueryDocumentType
EPCISQueryDocumentType = base:Document EPCISHeader:EPCISHeaderType? EPCISBody:EPCISQueryBodyType extension:EPCISQueryDocumentExtensionType? ##other*
	@*
EPCISQueryDocumentExtensionType = ##local+ @*
EPCISQueryBodyType = choice1 =GetQueryNames =GetQueryNamesResult =Subscribe =SubscribeResult =Unsubscribe =UnsubscribeResult =GetSubscriptionIDs
	=GetSubscriptionIDsResult =Poll =GetStandardVersion =GetStandardVersionResult =GetVendorVersion =GetVendorVersionResult =DuplicateNameException
	=InvalidURIException =NoSuchNameException =NoSuchSubscriptionException =DuplicateSubscriptionException =QueryParameterException
	=QueryTooLargeException =QueryTooComplexException =SubscriptionControlsException =SubscribeNotPermittedException =SecurityException
	=ValidationException =ImplementationException =QueryResults
<GetQueryNames> = EmptyParms
<GetQueryNamesResult> = ArrayOfString
<Subscribe> = Subscribe
Subscribe = queryName:string params:QueryParams dest:anyURI controls:SubscriptionControls subscriptionID:string
<SubscribeResult> = VoidHolder
<Unsubscribe> = Unsubscribe
Unsubscribe = subscriptionID:string
<UnsubscribeResult> = VoidHolder
<GetSubscriptionIDs> = GetSubscriptionIDs
GetSubscriptionIDs = queryName:string
<GetSubscriptionIDsResult> = ArrayOfString
<Poll> = Poll
Poll = queryName:string params:QueryParams
<GetStandardVersion> = EmptyParms
<GetStandardVersionResult> = string
<GetVendorVersion> = EmptyParms
<GetVendorVersionResult> = string
<VoidHolder> = VoidHolder
VoidHolder =
EmptyParms =
ArrayOfString = string:string*
1 SubscriptionControls = schedule:QuerySchedule? trigger:anyURI? initialRecordTime:dateTime? reportIfEmpty:boolean
	extension:SubscriptionControlsExtensionType? ##other*
2 SubscriptionControls = schedule:QuerySchedule? trigger:anyURI? initialRecordTime:DateTimeStamp? reportIfEmpty:boolean
	extension:SubscriptionControlsExtensionType? ##other*
SubscriptionControlsExtensionType = ##local+ @*
QuerySchedule = second:string? minute:string? hour:string? dayOfMonth:string? month:string? dayOfWeek:string? extension:QueryScheduleExtensionType?
	##other*
QueryScheduleExtensionType = ##local+ @*
QueryParams = param:QueryParam*
QueryParam = name:string value:anyType
<QueryResults> = QueryResults
QueryResults = queryName:string subscriptionID:string? resultsBody:QueryResultsBody extension:QueryResultsExtensionType? ##other*
QueryResultsExtensionType = ##local+ @*
QueryResultsBody = choice1 EventList:EventListType VocabularyList:VocabularyListType
<EPCISException> = EPCISException
EPCISException = reason:string
<DuplicateNameException> = DuplicateNameException
DuplicateNameException = base:EPCISException
<InvalidURIException> = InvalidURIException
InvalidURIException = base:EPCISException
<NoSuchNameException> = NoSuchNameException
NoSuchNameException = base:EPCISException
<NoSuchSubscriptionException> = NoSuchSubscriptionException
NoSuchSubscriptionException = base:EPCISException
<DuplicateSubscriptionException> = DuplicateSubscriptionException
DuplicateSubscriptionException = base:EPCISException
<QueryParameterException> = QueryParameterException
QueryParameterException = base:EPCISException
<QueryTooLargeException> = QueryTooLargeException
QueryTooLargeException = base:EPCISException queryName:string? subscriptionID:string?
<QueryTooComplexException> = QueryTooComplexException
QueryTooComplexException = base:EPCISException
<SubscriptionControlsException> = SubscriptionControlsException
SubscriptionControlsException = base:EPCISException
<SubscribeNotPermittedException> = SubscribeNotPermittedException
SubscribeNotPermittedException = base:EPCISException
<SecurityException> = SecurityException
SecurityException = base:EPCISException
<ValidationException> = ValidationException
ValidationException = base:EPCISException
<ImplementationException> = ImplementationException
ImplementationException = base:EPCISException severity:ImplementationExceptionSeverity queryName:string? subscriptionID:string?
ImplementationExceptionSeverity = is:NCName enum:ERROR|SEVERE
`
