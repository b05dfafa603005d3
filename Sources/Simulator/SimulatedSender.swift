package import Events
package import HTTPTypes
package import JSON
package import Signatures
package import Vendors

/// Sends what a vendor's system would send: its payloads, its signature, its batches. Makes requests as values; sending
/// and trying again is `SenderRun`'s.
package struct SimulatedSender: Sendable {
    /// One request, before it is sent. Tried again it is signed anew, as the senders do; its body stays.
    package struct Delivery: Sendable {
        package var body: [UInt8]
        /// What the ledger calls it: the sequence numbers of the events inside.
        package var events: Range<Int>
    }

    package let vendor: any Vendor
    package let event: VendorEvent
    private let signer: SignatureSigner?
    private let headers: [HeaderField]
    private let changes: [(pointer: JSONPointer, json: [UInt8])]
    private let identifiers: [JSONPointer]
    private let times: [JSONPointer]
    private let fresh: FreshValues
    private let sample: JSONTape

    /// - Parameters:
    ///   - secrets: the keys to sign with; the first for `api_key:` and headers.
    ///   - scheme: nil for the vendor's own.
    ///   - headers: fixed headers beside the signature.
    ///   - changes: values set in every payload.
    ///   - seed: two senders with different seeds send different events.
    package init(
        vendor: any Vendor, event: VendorEvent, scheme: SignatureScheme? = nil, secrets: [NamedSecret] = [],
        headers: [HeaderField] = [], changes: [(pointer: JSONPointer, json: [UInt8])] = [], seed: UInt64
    ) throws {
        self.vendor = vendor
        self.event = event
        self.headers = headers
        self.changes = changes
        fresh = FreshValues(seed: seed)
        sample = try JSONParser().parse(Array(event.sample.utf8))
        identifiers = try event.identifiers.map { try JSONPointer($0) }
        times = try event.times.map { try JSONPointer($0) }
        var scheme = scheme
        if scheme == nil, case .signature(let own) = vendor.traits.authentication { scheme = own }
        signer = try secrets.isEmpty ? nil : scheme.map { try SignatureSigner(scheme: $0, secrets: secrets) }
    }

    /// - Parameters:
    ///   - events: which events it carries; more than one only for vendors that batch.
    ///   - moment: when they happened.
    package func delivery(_ events: Range<Int>, at moment: Timestamp) throws -> Delivery {
        let payloads = try events.map { try payload($0, at: moment) }
        let body =
            vendor.traits.batches
            ? [UInt8(ascii: "[")] + payloads.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
            : payloads.first ?? []
        return Delivery(body: body, events: events)
    }

    /// One event's payload.
    package func payload(_ sequence: Int, at moment: Timestamp) throws -> [UInt8] {
        var editor = PayloadEditor(sample)
        for (place, pointer) in identifiers.enumerated() {
            guard let old = editor.text(at: pointer), let kind = editor.kind(at: pointer) else { continue }
            let new = fresh.identifier(like: old, sequence: sequence, place: place)
            try editor.set(pointer, json: kind == .string ? Self.quoted(new) : Array(new.utf8))
        }
        for pointer in times {
            guard let old = editor.text(at: pointer), let kind = editor.kind(at: pointer) else { continue }
            if kind == .string {
                try editor.set(pointer, json: Self.quoted(FreshValues.time(like: old, at: moment)))
            } else {
                try editor.set(pointer, json: Array(String(moment.milliseconds / 1000).utf8))
            }
        }
        for change in changes { try editor.set(change.pointer, json: change.json) }
        return editor.edited()
    }

    /// The headers of one try.
    package func headers(for delivery: Delivery, url: String, at moment: Timestamp) -> HeaderFields {
        var fields = HeaderFields([HeaderField("Content-Type", "application/json")] + headers)
        if let signer {
            let signed = unsafe delivery.body.withUnsafeBytes { body in
                unsafe signer.headers(
                    body: body, id: "msg_\(delivery.events.lowerBound)", url: url,
                    timestampSeconds: moment.milliseconds / 1000)
            }
            for field in signed { fields.append(field.name, field.value) }
        }
        return fields
    }

    private static func quoted(_ text: String) -> [UInt8] {
        var writer = JSONWriter()
        writer.string(text)
        return writer.bytes
    }
}
