/// libyaml's complaint in words that say what to write instead.
struct SyntaxExplanation {
    var mark: ParserMark
    var message: String

    init(_ failure: ParserFailure, in text: ArraySlice<UInt8>) {
        mark = failure.mark
        let line = SourceExcerpts(Array(text)).line(failure.mark.line)
        let found = line.indices.contains(failure.mark.column) ? line[failure.mark.column] : nil
        let opened = "on line \(failure.contextMark.line + 1)"
        if line.prefix(while: { $0 == " " || $0 == "\t" }).contains("\t"), failure.mark.column <= Self.indentation(line)
        {
            let tab = line.firstIndex(of: "\t") ?? 0
            mark.column = tab
            message = "a tab cannot indent; use spaces"
            return
        }
        switch failure.problem {
        case "found character that cannot start any token":
            let character = found.map { displayable(String($0)) } ?? "this"
            message = "a value cannot begin with `\(character)`; put the value in quotes"
        case "mapping values are not allowed in this context":
            message =
                "`: ` begins a mapping, which cannot stand here; put the value in quotes, or check the indentation"
        case "did not find expected key":
            message = "expected a key here; check the indentation, and the quotes of the line above"
        case "could not find expected ':'":
            message = "expected `key: value`; put a colon and a space after the key"
            mark = failure.contextMark
        case "found unexpected end of stream":
            message = "the quotation mark opened \(opened) is never closed"
            mark = failure.contextMark
        case "found unexpected document indicator":
            message = "the quotation mark opened \(opened) is not closed before `---`"
            mark = failure.contextMark
        case "did not find expected ',' or ']'":
            message = "expected `,` or `]` in the list opened \(opened)"
        case "did not find expected ',' or '}'":
            message = "expected `,` or `}` in the mapping opened \(opened)"
        case "did not find expected '-' indicator":
            message = "expected `- ` as in the list begun \(opened); check the indentation"
        case "block sequence entries are not allowed in this context":
            message = "a list item (`- `) cannot stand here; begin it on a line of its own, or put the value in quotes"
        case "found unknown escape character":
            message = "unknown escape in double quotes; write `\\\\` for a backslash, or use single quotes"
        case "did not find expected node content":
            message = "a value or key is missing here; to mean an empty text, write \"\""
        case "found unexpected ':'":
            message = "put a space after this colon, or quotes around the text it belongs to"
        case "did not find expected <document start>":
            message = "this does not belong to what stands above; check the indentation"
        case "did not find expected alphabetic or numeric character":
            message =
                "a value cannot begin with `\(failure.context == "while scanning an anchor" ? "&" : "*")`; "
                + "put the value in quotes"
            mark = failure.contextMark
        case "found undefined tag handle", "did not find expected whitespace or line break":
            message = "tags (`!…`) are not used here; remove it, or quote the text that begins with !"
        default:
            let context = failure.context.map { " \($0)" } ?? ""
            message = "not readable as YAML: \(failure.problem)\(context)"
        }
    }

    private static func indentation(_ line: [Unicode.Scalar]) -> Int {
        line.prefix { $0 == " " || $0 == "\t" }.count
    }
}
