internal import CYAML

/// What libyaml reports of a text, one step at a time, as Swift values.
enum ParserEvent {
    struct Properties {
        var anchor: String?
        var tag: String?
    }

    case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
    case alias(String)
    case scalar(text: String, style: YAMLStyle, Properties)
    case sequenceStart(Properties)
    case mappingStart(Properties)
}

/// A position of libyaml: line and column in characters, from 0.
struct ParserMark {
    var line: Int
    var column: Int

    init(_ mark: yaml_mark_t) {
        line = Int(clamping: mark.line)
        column = Int(clamping: mark.column)
    }
}

/// Why libyaml could not go on, in its own words.
struct ParserFailure: Error {
    var problem: String
    var mark: ParserMark
    var context: String?
    var contextMark: ParserMark
}

/// Owns one libyaml parser and the bytes it reads; no pointer of either leaves it.
@safe struct EventReader: ~Copyable {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter bytes: UTF-8 without a byte order mark.
    init(_ bytes: ArraySlice<UInt8>) {
        unsafe input = .allocate(capacity: max(bytes.count, 1))
        _ = unsafe input.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        // It fails only where malloc does.
        let created = unsafe yaml_parser_initialize(parser)
        precondition(created == 1, "libyaml could not allocate a parser")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    mutating func next() throws(ParserFailure) -> (event: ParserEvent, start: ParserMark) {
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw failure() }
        defer { unsafe yaml_event_delete(&event) }
        return (unsafe Self.value(of: event), unsafe ParserMark(event.start_mark))
    }

    private func failure() -> ParserFailure {
        unsafe ParserFailure(
            problem: parser.pointee.problem.map { unsafe String(cString: $0) } ?? "not readable as YAML",
            mark: ParserMark(parser.pointee.problem_mark),
            context: parser.pointee.context.map { unsafe String(cString: $0) },
            contextMark: ParserMark(parser.pointee.context_mark))
    }

    private static func value(of event: yaml_event_t) -> ParserEvent {
        switch unsafe event.type {
        case YAML_STREAM_START_EVENT: return .streamStart
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_DOCUMENT_END_EVENT: return .documentEnd
        case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
        case YAML_MAPPING_END_EVENT: return .mappingEnd
        case YAML_ALIAS_EVENT: return .alias(unsafe text(event.data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return .scalar(
                text: unsafe String(decoding: bytes, as: UTF8.self),
                style: unsafe style(scalar.style),
                .init(anchor: unsafe text(scalar.anchor), tag: unsafe text(scalar.tag)))
        case YAML_SEQUENCE_START_EVENT:
            let sequence = unsafe event.data.sequence_start
            return .sequenceStart(.init(anchor: unsafe text(sequence.anchor), tag: unsafe text(sequence.tag)))
        case YAML_MAPPING_START_EVENT:
            let mapping = unsafe event.data.mapping_start
            return .mappingStart(.init(anchor: unsafe text(mapping.anchor), tag: unsafe text(mapping.tag)))
        default: return .streamEnd
        }
    }

    private static func style(_ style: yaml_scalar_style_t) -> YAMLStyle {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE: .singleQuoted
        case YAML_DOUBLE_QUOTED_SCALAR_STYLE: .doubleQuoted
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: .block
        default: .plain
        }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }
}
