internal import Events
internal import Vendors
internal import YAML

/// `signinapp/visitor.signin`: one of the payloads each sender is known by, or `gatehouse/…`: an event of our own.
struct SampleName {
    let vendor: any Vendor
    let event: VendorEvent

    /// - Parameter event: the sender's own name, another it has been seen under, or the canonical type.
    init(vendor name: String, event: String) throws(RehearsalError) {
        let vendors = Vendors.all + [Vendors.own]
        guard let vendor = vendors.first(where: { $0.name == name }) else {
            let names = vendors.map(\.name)
            throw RehearsalError(
                "no vendor is called `\(displayable(name))`; there are \(names.joined(separator: ", "))",
                didYouMean: nearest(name, among: names).map { "\($0)/\(event)" })
        }
        let found =
            vendor.events.first { $0.name == event || $0.aliases.contains(event) }
            ?? vendor.events.first { $0.type.rawValue == event }
        guard let found else {
            let names = vendor.events.flatMap { [$0.name] + $0.aliases + [$0.type.rawValue] }
            throw RehearsalError(
                "\(name) has no event called `\(displayable(event))`; it has "
                    + vendor.events.map(\.name).joined(separator: ", "),
                didYouMean: nearest(event, among: names).map { "\(name)/\($0)" })
        }
        self.vendor = vendor
        self.event = found
    }

    /// The vendor and the event of `signinapp/visitor.signin`.
    static func parts(of text: String) throws(RehearsalError) -> (vendor: String, event: String) {
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        guard parts.count == 2 else {
            let example = Vendors.named(text)?.events.first?.name ?? "visitor.signin"
            throw RehearsalError(
                "a sample is VENDOR/EVENT, such as \(Vendors.named(text)?.name ?? "signinapp")/\(example), "
                    + "not `\(displayable(text))`")
        }
        return (parts[0], parts[1])
    }
}
