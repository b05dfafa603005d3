extension [UInt8] {
    /// The bytes with `mark` in the place of every `part`, from the left; themselves where there is none, or it is empty. Of
    /// bytes: what is sent and answered is searched for secrets each time, and a search in texts costs many times as much.
    func replacing(part: [UInt8], by mark: some Collection<UInt8>) -> [UInt8] {
        guard !part.isEmpty, var place = place(of: part, from: 0) else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var end = 0
        while true {
            result += self[end..<place]
            result += mark
            end = place + part.count
            guard let next = self.place(of: part, from: end) else { break }
            place = next
        }
        return result + self[end...]
    }

    private func place(of part: [UInt8], from start: Int) -> Int? {
        let (part, bytes) = (part.span, span)
        var place = start
        search: while place + part.count <= bytes.count {
            for index in part.indices where bytes[place + index] != part[index] {
                place += 1
                continue search
            }
            return place
        }
        return nil
    }
}
