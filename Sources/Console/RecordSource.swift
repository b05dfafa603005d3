/// A part of a list: JSON objects, one a line, oldest first.
package struct RecordPage: Sendable {
    package var lines: [[UInt8]]
    /// Where the next part begins; nil at the end.
    package var next: String?

    package init(lines: [[UInt8]], next: String? = nil) {
        self.lines = lines
        self.next = next
    }
}

/// What an instance has recorded: asked of the running instance, or read from a stopped one's files.
package protocol RecordSource: Sendable {
    /// - Parameter cursor: a page's `next`; nil for the first page.
    func page(_ query: ListQuery, after cursor: String?) throws -> RecordPage
    /// The balance, as one JSON object, and whether it holds.
    func reconcile() throws -> (json: [UInt8], isBalanced: Bool)
}

extension RecordSource {
    /// Every record of a list, page by page.
    package func forEach(_ query: ListQuery, _ body: ([UInt8]) throws -> Void) throws {
        var cursor: String?
        repeat {
            let page = try page(query, after: cursor)
            for line in page.lines { try body(line) }
            cursor = page.next
        } while cursor != nil
    }
}

/// Something asked for is not there, or cannot be told.
package struct RecordError: Error, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}
