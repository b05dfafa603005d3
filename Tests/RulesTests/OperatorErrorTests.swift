import Testing

@testable import Rules

@Suite("Tests of fields that do not load")
struct OperatorErrorTests {
    @Test(
        "an argument that an operator cannot take is told, with what to write instead",
        arguments: [
            (
                "{group: {starts_with: \"\"}}",
                "23: `starts_with:` is empty; for a text without characters write {equals: \"\"}, for any text {is: present}"
            ),
            (
                "{group: {starts_with: }}",
                "23: `group` has no value; for a field without one write {is: blank}, for an empty text \"\""
            ),
            ("{group: {contains: []}}", "20: an empty list takes no event; name a value, or remove `group`"),
            (
                "{group: {contains: [a, {b: c}]}}",
                "24: expected a value of group, found a mapping; only `not:` takes operators"
            ),
            (
                "{group: {starts_with: {not: a}}}",
                "23: `starts_with:` takes a value or a list, found a mapping; only `not:` takes operators"
            ),
            (
                "{visitor: {returning: {starts_with: t}}}",
                "24: `starts_with:` compares texts, and visitor.returning is true or false; it takes equals, any_of, not, is"
            ),
            (
                "{face: {attempts: {contains: 1}}}",
                "20: `contains:` compares texts, and face.attempts is a number; it takes equals, any_of, not, is, above, at_least, below, at_most, between"
            ),
            (
                "{visit: {started_at: {like: \"2024*\"}}}",
                "23: `like:` compares texts, and visit.started_at is a time; it takes equals, any_of, not, is, above, at_least, below, at_most, between"
            ),
            (
                "{visit: {reasons: {above: 3}}}",
                "20: `above:` compares numbers and times, and visit.reasons is a list of reasons; it takes equals, any_of, exactly, not, is, starts_with, ends_with, contains, like, matches, domain, cidr, in_list"
            ),
            (
                "{visitor: {name: {above: 3}}}",
                "19: `above:` compares numbers and times, and visitor.name is a text; it takes equals, any_of, exactly, not, is, starts_with, ends_with, contains, like, matches, domain, cidr, in_list"
            ),
            (
                "{site: {between: [1, 2]}}",
                "9: `between:` compares numbers and times, and site is an id; it takes equals, any_of, exactly, not, is, starts_with, ends_with, contains, like, matches, domain, cidr, in_list"
            ),
            (
                "{visitor: {email: {within: office-hours}}}",
                "20: `within:` compares the event's time with a calendar (time: {within: …}), and visitor.email is a text; it takes equals, any_of, exactly, not, is, starts_with, ends_with, contains, like, matches, domain, cidr, in_list"
            ),
            (
                "{visit: {started_at: {within: office-hours}}}",
                "23: `within:` compares the event's time with a calendar (time: {within: …}), and visit.started_at is a time; it takes equals, any_of, not, is, above, at_least, below, at_most, between"
            ),
            (
                "{visitor: {email: {domain: \"@acme.com\"}}}",
                "28: `domain:` takes what follows the @ (did you mean acme.com?)"
            ),
            (
                "{visitor: {email: {domain: joe@acme.com}}}",
                "28: `domain:` takes what follows the @ (did you mean acme.com?)"
            ),
            (
                "{visitor: {email: {domain: \"*.acme.com\"}}}",
                "28: `domain:` takes no `*`; a dot in front means every domain below (did you mean .acme.com?)"
            ),
            (
                "{visitor: {email: {domain: \"acme .com\"}}}",
                "28: `domain:` takes a domain such as acme.com, or .acme.com for those below it, not `acme .com`"
            ),
            (
                "{visitor: {email: {domain: \".\"}}}",
                "28: `domain:` takes a domain such as acme.com, or .acme.com for those below it, not `.`"
            ),
            (
                "{visitor: {email: {domain: \"\"}}}",
                "28: `domain:` is empty; for a text without characters write {equals: \"\"}, for any text {is: present}"
            ),
            (
                "{visitor: {email: {domain: [acme.com, https://acme.com]}}}",
                "39: `domain:` takes a domain such as acme.com, or .acme.com for those below it, not `https://acme.com`"
            ),
            (
                "{device: {ip: {cidr: 10.0.0.1/8}}}",
                "22: `cidr:` takes a network such as 10.0.0.0/8 or fd00::/8, not `10.0.0.1/8` (did you mean 10.0.0.0/8?)"
            ),
            (
                "{device: {ip: {cidr: 10.0.0.0/33}}}",
                "22: `cidr:` takes a network such as 10.0.0.0/8 or fd00::/8, not `10.0.0.0/33`"
            ),
            (
                "{device: {ip: {cidr: [10.0.0.0/8, lan]}}}",
                "35: `cidr:` takes a network such as 10.0.0.0/8 or fd00::/8, not `lan`"
            ),
            ("{face: {attempts: {above: few}}}", "27: face.attempts is a number such as 3, not `few`"),
            ("{face: {attempts: {above: 03}}}", "27: face.attempts is a number such as 3, not `03`"),
            (
                "{face: {attempts: {above: [1, 2]}}}",
                "27: `above:` takes one value; for a range write between: [FROM, TO]"
            ),
            ("{face: {attempts: {above: 1e30}}}", "27: `1e30` is too large to compare; numbers go to 10^27"),
            (
                "{face: {attempts: {above: 2024-07-30T09:00:00Z}}}",
                "27: face.attempts is a number such as 3, not `2024-07-30T09:00:00Z`"
            ),
            ("{face: {attempts: {between: 3}}}", "29: `between:` takes two values, [FROM, TO], found `3`"),
            ("{face: {attempts: {between: [3]}}}", "29: `between:` takes two values, [FROM, TO], found one"),
            ("{face: {attempts: {between: [1, 2, 3]}}}", "29: `between:` takes two values, [FROM, TO], found 3"),
            (
                "{face: {attempts: {between: [5, 1]}}}",
                "29: nothing lies between these; the lower one comes first (did you mean [1, 5]?)"
            ),
            (
                "{personal: {age: {between: [5, now]}}}",
                "28: `between:` takes two numbers or two times, not one of each"
            ),
            (
                "{personal: {age: {above: old}}}",
                "26: `above:` takes a number such as 3, a time such as 2024-07-30T09:00:00Z, or now, not `old`"
            ),
            (
                "{personal: {since: {above: 2024-07-30}}}",
                "28: `2024-07-30` is a whole day; write the time it begins, with its zone (did you mean 2024-07-30T00:00:00Z?)"
            ),
            (
                "{personal: {since: {above: 2024-07-30T09:00:00}}}",
                "28: `2024-07-30T09:00:00` does not say its zone; end it with Z or +02:00 (did you mean 2024-07-30T09:00:00Z?)"
            ),
            (
                "{visit: {started_at: {above: 2024-07-30 09:00:00}}}",
                "30: `2024-07-30 09:00:00` does not say its zone; end it with Z or +02:00 (did you mean 2024-07-30T09:00:00Z?)"
            ),
            (
                "{visit: {started_at: {above: 7}}}",
                "30: visit.started_at is a time such as 2024-07-30T09:00:00Z, not `7`"
            ),
            (
                "{visit: {started_at: {below: now + 2 hours}}}",
                "36: expected a duration such as 300ms, 10s, 5m, 24h or 7d, found `2 hours` (did you mean 2h?)"
            ),
            ("{visit: {started_at: {below: now + }}}", "30: write now, now + 2h or now - 30m, not `now +`"),
            ("{visit: {started_at: {below: now * 2h}}}", "30: write now, now + 2h or now - 30m, not `now * 2h`"),
            (
                "{visit: {started_at: {below: now + 2}}}",
                "36: expected a duration such as 300ms, 10s, 5m, 24h or 7d, found `2` (did you mean 2s?)"
            ),
            (
                "{visit: {started_at: {between: [now + 2h, now - 1h]}}}",
                "32: nothing lies between these; the lower one comes first (did you mean [now - 1h, now + 2h]?)"
            ),
            (
                "{visit: {started_at: {between: [2024-07-31T00:00:00Z, 2024-07-30T00:00:00Z]}}}",
                "32: nothing lies between these; the lower one comes first (did you mean [2024-07-30T00:00:00Z, 2024-07-31T00:00:00Z]?)"
            ),
            ("{visit: {started_at: now}}", "22: `now` stands only under above, at_least, below, at_most and between"),
            (
                "{visit: {started_at: 2024-07-30}}",
                "22: `2024-07-30` is a whole day; write the time it begins, with its zone (did you mean 2024-07-30T00:00:00Z?)"
            ),
            (
                "{group: {not: {equals: }}}",
                "24: `group` has no value; for a field without one write {is: blank}, for an empty text \"\""
            ),
            ("{group: {not: []}}", "15: an empty list takes no event; name a value, or remove `group`"),
            ("{group: {not: {}}}", "15: group says nothing; write a value or an operator, or remove it"),
            (
                "{group: {not: }}",
                "15: `group` has no value; for a field without one write {is: blank}, for an empty text \"\""
            ),
            (
                "{group: {matches: \"\"}}",
                "19: `matches:` is empty; for a text without characters write {equals: \"\"}, for any text {is: present}"
            ),
            ("{group: {matches: a(b}}", "20: `a(b` is no regular expression (RE2): missing )"),
            (
                "{group: {matches: \"\\\\d+\\\\1\"}}",
                "24: `\\d+\\1` is no regular expression (RE2): RE2 does not refer back to a group"
            ),
            (
                "{group: {matches: 'it''s [z-a]'}}",
                "27: `it's [z-a]` is no regular expression (RE2): invalid character class range"
            ),
            (
                "{group: {matches: [ok, \"x(?=y)\"]}}",
                "26: `x(?=y)` is no regular expression (RE2): RE2 does not look ahead or behind; ask for what the text must not have with `not:`"
            ),
        ])
    func operators(_ condition: String, _ expected: String) {
        #expect(complaints(when: condition) == expected)
    }

    @Test(
        "a calendar that cannot be read is told, with what to write instead",
        arguments: [
            (
                "{time: {starts_with: \"2024\"}}",
                "9: `starts_with:` compares texts, and time is a time; it takes equals, any_of, not, is, above, at_least, below, at_most, between, within, outside"
            ),
            (
                "{time: {cidr: 10.0.0.0/8}}",
                "9: `cidr:` compares texts, and time is a time; it takes equals, any_of, not, is, above, at_least, below, at_most, between, within, outside"
            ),
            ("{time: {within: office-hours}}", "17: no calendar is called `office-hours`; no file has `calendars:`"),
            (
                "{time: {within: [{days: mon}, office-hours]}}",
                "31: no calendar is called `office-hours`; no file has `calendars:`"
            ),
            ("{time: {within: {}}}", "17: the calendar is empty; write its days, or from and to"),
            ("{time: {within: []}}", "17: an empty list; name a calendar, or remove `within:`"),
            ("{time: {within: {day: mon}}}", "18: unknown key `day` in a calendar (did you mean days?)"),
            (
                "{time: {within: {days: Monday}}}",
                "24: days are mon, tue, wed, thu, fri, sat, sun, and ranges of them such as mon-fri, not `Monday` (did you mean mon?)"
            ),
            (
                "{time: {within: {days: monday-friday}}}",
                "24: days are mon, tue, wed, thu, fri, sat, sun, and ranges of them such as mon-fri, not `monday-friday` (did you mean mon-fri?)"
            ),
            (
                "{time: {within: {days: [mon, funday]}}}",
                "30: days are mon, tue, wed, thu, fri, sat, sun, and ranges of them such as mon-fri, not `funday`"
            ),
            ("{time: {within: {days: []}}}", "24: `days:` names no day; remove it for every day"),
            (
                "{time: {within: {from: \"08:00\"}}}",
                "18: `from:` needs `to:` beside it; a day begins at \"00:00\" and ends at \"24:00\""
            ),
            (
                "{time: {within: {to: \"18:00\"}}}",
                "18: `to:` needs `from:` beside it; a day begins at \"00:00\" and ends at \"24:00\""
            ),
            (
                "{time: {within: {from: 8:00, to: \"18:00\"}}}",
                "24: a time of day is written 08:00, from 00:00 to 24:00, not `8:00` (did you mean 08:00?)"
            ),
            (
                "{time: {within: {from: \"08:00\", to: \"25:00\"}}}",
                "37: a time of day is written 08:00, from 00:00 to 24:00, not `25:00`"
            ),
            ("{time: {within: {from: \"24:00\", to: \"08:00\"}}}", "24: `24:00` can only end a day; write \"00:00\""),
            (
                "{time: {within: {from: \"08:00\", to: \"08:00\"}}}",
                "37: nothing lies between `from:` and `to:`; for the whole day remove both, or write to: \"24:00\""
            ),
            (
                "{time: {within: {from: 8am, to: \"08:00\"}}}",
                "24: a time of day is written 08:00, from 00:00 to 24:00, not `8am`"
            ),
            (
                "{time: {within: {days: mon, holidays: [2024-02-30]}}}",
                "40: a holiday is a date such as 2024-12-25, not `2024-02-30`"
            ),
            (
                "{time: {within: {days: mon, holidays: christmas}}}",
                "39: a holiday is a date such as 2024-12-25, not `christmas`"
            ),
            ("{time: {within: {days: mon, zone: \"\"}}}", "35: expected a text, found an empty one"),
            ("{time: {zone: Europe/London}}", "15: `zone:` stands beside `within:` or `outside:`"),
            (
                "{time: {within: {days: mon}, zone: }}",
                "36: `zone:` names no time zone; write one such as Europe/London, or remove it"
            ),
            (
                "{time: office-hours}",
                "8: a calendar stands under within or outside (did you mean time: {within: office-hours}?)"
            ),
            ("{time: }", "8: `time` has no value; for a field without one write {is: blank}, for an empty text \"\""),
            ("{time: {}}", "8: time says nothing; write a value or an operator, or remove it"),
        ])
    func calendars(_ condition: String, _ expected: String) {
        #expect(complaints(when: condition) == expected)
    }

    @Test(
        "a pointer that is none is told",
        arguments: [
            ("{json: {visitor: a}}", "9: a JSON pointer begins with `/` (did you mean /visitor?)"),
            ("{json: {\"/a~2\": a}}", "9: in a JSON pointer a `~` is written `~0`, and a `/` inside a name `~1`"),
            (
                "{json: /a}",
                "8: json needs places in the sender's payload, such as json: {\"/visitor/extra\": …}, found `/a`"
            ),
            (
                "{json: {}}",
                "8: json needs places in the sender's payload, such as json: {\"/visitor/extra\": …}, found nothing"
            ),
            (
                "{json: {\"/a\": {b: c}}}",
                "16: unknown operator `b` under json \"/a\"; it takes equals, any_of, exactly, not, is, starts_with, ends_with, contains, like, matches, domain, above, at_least, below, at_most, between, cidr, in_list"
            ),
            (
                "{json: {\"/a\": }}",
                "15: `json \"/a\"` has no value; for a field without one write {is: blank}, for an empty text \"\""
            ),
        ])
    func json(_ condition: String, _ expected: String) {
        #expect(complaints(when: condition) == expected)
    }

    @Test(
        "a name of a condition that is none is told",
        arguments: [
            ("{condition: outsiders}", "13: no condition is called `outsiders`; no file has `conditions:`"),
            ("{condition: }", "13: `condition:` names none; name one of `conditions:`, or remove it"),
            ("{condition: []}", "13: `condition:` names none; name one of `conditions:`, or remove it"),
            (
                "{condition: {not: outsiders}}",
                "13: `condition:` takes the name of one of `conditions:`, or a list of names; for the opposite write not: {condition: NAME}"
            ),
            (
                "{condition: [outsiders, a]}",
                "14: no condition is called `outsiders`; no file has `conditions:`\n25: no condition is called `a`; no file has `conditions:`"
            ),
        ])
    func names(_ condition: String, _ expected: String) {
        #expect(complaints(when: condition) == expected)
    }
}
