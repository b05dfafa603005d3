internal import Cryptography

/// Where a list goes on, as callers see it: opaque, and good for the list and order it came from.
enum APICursor {
    static func encode(_ place: String?, of list: String, _ request: APIRequest) -> String? {
        place.map { Hex.encode(Array("\(mark(list, request)):\($0)".utf8)) }
    }

    /// Nil for the first page.
    static func decode(_ request: APIRequest, of list: String) throws(APIProblem) -> String? {
        guard let text = request.text("cursor") else { return nil }
        guard let bytes = Hex.decode(text), let plain = String(validating: bytes, as: UTF8.self),
            let colon = plain.firstIndex(of: ":"), plain[..<colon] == mark(list, request)
        else { throw .query("the cursor is not one of this list in this order") }
        return String(plain[plain.index(after: colon)...])
    }

    private static func mark(_ list: String, _ request: APIRequest) -> String {
        list + (request.isNewestFirst ? "-" : "+")
    }
}
