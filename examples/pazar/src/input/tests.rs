//! Files that are wrong, and files that are merely spelt otherwise.

use super::{Text, hotel, retail};

const GOOD: [(&str, &str); 20] = [
    ("hotel", "Resort Hotel"),
    ("lead_time", "10"),
    ("arrival_date_year", "2015"),
    ("arrival_date_month", "July"),
    ("arrival_date_day_of_month", "11"),
    ("stays_in_weekend_nights", "0"),
    ("stays_in_week_nights", "2"),
    ("adults", "2"),
    ("children", "NA"),
    ("babies", "0"),
    ("reserved_room_type", "A"),
    ("assigned_room_type", "A"),
    ("booking_changes", "0"),
    ("deposit_type", "No Deposit"),
    ("agent", "NULL"),
    ("company", "NULL"),
    ("days_in_waiting_list", "0"),
    ("adr", "75.00"),
    ("reservation_status", "Check-Out"),
    ("reservation_status_date", "2015-07-13"),
];

/// A file of one good booking, with some cells changed.
fn booking(changed: &[(&str, &str)]) -> Text {
    let cell = |(name, good): &(&str, &str)| changed.iter().find(|(n, _)| n == name).map_or(*good, |(_, v)| *v).to_owned();
    let header: Vec<_> = GOOD.iter().map(|(name, _)| *name).collect();
    let cells: Vec<_> = GOOD.iter().map(cell).collect();
    text(&format!("{}\n{}\n", header.join(","), cells.join(",")))
}

fn text(content: &str) -> Text {
    Text { name: "file.csv".into(), bytes: content.as_bytes().to_vec() }
}

#[test]
fn a_wrong_cell_is_named_by_line_and_column() {
    for (column, value, why) in [
        ("lead_time", "ten", "`ten` is not a whole number"),
        ("lead_time", "-1", "`-1` is not between 0 and 10000"),
        ("lead_time", "", "`` is not a whole number"),
        ("lead_time", "9999999999999999999999", "is not a whole number"),
        ("arrival_date_month", "Juli", "`Juli` is not a month"),
        ("arrival_date_day_of_month", "32", "`32` is not between 1 and 31"),
        ("arrival_date_year", "15", "`15` is not between 1970 and 2260"),
        ("adults", "2.5", "`2.5` is not a whole number"),
        ("adults", "NA", "`NA` is not a whole number"),
        ("children", "-1", "`-1` is not between 0 and 1000"),
        ("adr", "7e2", "`7e2` is not a decimal number"),
        ("adr", "75.123", "`75.123` is not an amount of at most two decimals"),
        ("reservation_status", "Lost", "`Lost` is not Check-Out, Canceled or No-Show"),
        ("reservation_status_date", "13/07/2015", "`13/07/2015` is not a date such as 2015-07-01"),
        ("reservation_status_date", "2015-02-30", "is not a date"),
        ("hotel", "", "is empty"),
        ("deposit_type", " ", "is empty"),
        ("booking_changes", "\u{1b}[2J", "`\\u{1b}[2J` is not a whole number"),
    ] {
        let error = hotel::parse(&booking(&[(column, value)])).unwrap_err().to_string();
        assert!(error.starts_with(&format!("file.csv, line 2, column `{column}`: ")), "{error}");
        assert!(error.contains(why), "{error}");
    }
    let error = hotel::parse(&booking(&[("arrival_date_month", "February"), ("arrival_date_day_of_month", "30")])).unwrap_err();
    assert_eq!(error.what, "February 2015 has no day 30");
    let error = hotel::parse(&booking(&[("arrival_date_year", "1970"), ("lead_time", "400")])).unwrap_err();
    assert_eq!(error.column, "lead_time");
}

#[test]
fn a_table_that_is_none_is_refused() {
    for (content, line, why) in [
        ("a,b\n1,2\n", 1, "there is no column `lead_time`; found `a`, `b`"),
        ("InvoiceNo,Invoice_No\n", 1, "there is no column"),
        ("\n", 0, "there is no column"),
    ] {
        let error = hotel::parse(&text(content)).unwrap_err();
        assert!(error.what.contains(why), "{error}");
        assert!(line == 0 || error.line == line, "{error}");
    }
    let header = GOOD.map(|(name, _)| name).join(",");
    assert_eq!(hotel::parse(&text(&header)).unwrap_err().what, "holds no bookings");
    let error = hotel::parse(&text(&format!("{header}\n1,2\n"))).unwrap_err();
    assert_eq!((error.line, error.what.as_str()), (2, "2 cells where the header has 20"));
    let error = hotel::parse(&text(&format!("{header},Lead Time\n"))).unwrap_err();
    assert_eq!((error.column.as_str(), error.what.as_str()), ("Lead Time", "the column is there twice"));
    let mut bytes = booking(&[]).bytes;
    let at = bytes.windows(6).position(|w| w == b"Resort").unwrap();
    bytes[at] = 0xff;
    let error = hotel::parse(&Text { name: "file.csv".into(), bytes }).unwrap_err();
    assert_eq!((error.column.as_str(), error.what.as_str()), ("hotel", "the text is not UTF-8"));
}

#[test]
fn a_line_is_counted_as_an_editor_counts_it() {
    let good = String::from_utf8(booking(&[]).bytes).unwrap();
    let (header, row) = good.trim_end().split_once('\n').unwrap();
    let two_lines = row.replacen("Resort Hotel", "\"Resort\nHotel\"", 1);
    let wrong = |row: &str| row.replacen(",10,", ",ten,", 1);
    for (rows, line, column) in [
        (vec![row, &two_lines, "", "", &wrong(row)], 7, "lead_time"),
        (vec![row, "", &wrong(&two_lines), row], 4, "lead_time"),
        (vec![row, &two_lines, "", "1,2", row], 6, ""),
        (vec!["", &format!("{row},more")], 3, ""),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            for last in ["", end] {
                let lines = [&[header][..], &rows].concat().join("\n").replace('\n', end) + last;
                let error = hotel::parse(&text(&lines)).unwrap_err();
                assert_eq!((error.line, error.column.as_str()), (line, column), "{end:?} {last:?}: {error}");
            }
        }
    }
    let whole = [header, row, &two_lines, ""].join("\r\n");
    assert_eq!(hotel::parse(&text(&whole)).unwrap().bookings.len(), 2);
}

#[test]
fn rows_are_numbered_by_the_file_or_counted() {
    let good = String::from_utf8(booking(&[]).bytes).unwrap();
    let (header, row) = good.trim_end().split_once('\n').unwrap();
    let counted = hotel::parse(&text(&format!("{header}\n{row}\n{row}\n"))).unwrap();
    assert_eq!(counted.bookings.iter().map(|b| b.row).collect::<Vec<_>>(), [1, 2]);
    let named = hotel::parse(&text(&format!("row,{header}\n90,{row}\n17,{row}\n"))).unwrap();
    assert_eq!(named.bookings.iter().map(|b| b.row).collect::<Vec<_>>(), [17, 90]);
    let error = hotel::parse(&text(&format!("row,{header}\n9,{row}\n9,{row}\n"))).unwrap_err();
    assert_eq!((error.line, error.what.as_str()), (3, "the row 9 is there twice"));
    let error = hotel::parse(&text(&format!("row,{header}\n0,{row}\n"))).unwrap_err();
    assert_eq!(error.column, "row");
}

#[test]
fn other_spellings_of_the_same_booking_are_the_same() {
    let plain = hotel::parse(&booking(&[("agent", "240")])).unwrap().bookings;
    let padded = booking(&[
        ("agent", "   240.0"),
        ("children", "0.0"),
        ("adr", "75"),
        ("reservation_status_date", "2015-07-13T00:00:00Z"),
    ]);
    assert_eq!(hotel::parse(&padded).unwrap().bookings, plain);
    let camel = String::from_utf8(booking(&[("agent", "240")]).bytes)
        .unwrap()
        .replacen("lead_time", "LeadTime", 1)
        .replacen("adr,", "ADR,", 1);
    assert_eq!(hotel::parse(&text(&camel)).unwrap().bookings, plain);
    let semicolons = String::from_utf8(booking(&[("agent", "240")]).bytes).unwrap().replace(',', ";").replace("75.00", "75,00");
    assert_eq!(hotel::parse(&text(&semicolons)).unwrap().bookings, plain);
}

#[test]
fn who_books_is_the_agent_or_else_the_company_or_else_a_guest() {
    for (agent, company, expected) in [
        ("240", "NULL", "agent-240"),
        ("240", "110", "agent-240"),
        ("NULL", "110.0", "company-110"),
        ("NULL", "", "guest"),
        ("NA", "nan", "guest"),
    ] {
        let read = hotel::parse(&booking(&[("agent", agent), ("company", company)])).unwrap();
        assert_eq!(read.bookers.texts(), [expected]);
    }
}

#[test]
fn both_editions_of_the_order_format_are_read() {
    let first = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
                 536365,85123A,\"HEART, WHITE\",6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n";
    let second = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country\n\
                  536365,85123A,HEART,6,12/1/2010 8:26,2.550,17850.0,United Kingdom\n";
    let third = "Invoice;StockCode;Description;Quantity;InvoiceDate;Price;Customer ID;Country\n\
                 536365;85123A;HEART;6;01.12.2010 08:26;2,55;17850;United Kingdom\n";
    let expected = retail::parse(&text(first)).unwrap();
    for other in [second, third] {
        let read = retail::parse(&text(other)).unwrap();
        assert_eq!(read.lines, expected.lines);
        assert_eq!(read.customers.texts(), ["customer-17850"]);
        assert_eq!(read.totals, expected.totals);
    }
    // A description that is not UTF-8, as the original file has, is nobody's business here.
    let mut bytes = first.as_bytes().to_vec();
    let at = bytes.windows(5).position(|w| w == b"HEART").unwrap();
    bytes[at] = 0xa3;
    assert!(retail::parse(&Text { name: String::new(), bytes }).is_ok());
}

#[test]
fn a_wrong_order_line_is_refused_unless_it_has_no_customer() {
    let header = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n";
    for (row, column) in [
        ("536365,85123A,six,2010-12-01 08:26:00,2.55,17850", "Quantity"),
        ("536365,85123A,1.5,2010-12-01 08:26:00,2.55,17850", "Quantity"),
        ("536365,85123A,6,2010-12-01,2.55,17850", "InvoiceDate"),
        ("536365,85123A,6,13/12/2010 8:26,2.55,17850", "InvoiceDate"),
        ("536365,85123A,6,2010-12-01 08:26:00,free,17850", "UnitPrice"),
        (",85123A,6,2010-12-01 08:26:00,2.55,17850", "InvoiceNo"),
        ("536365,,6,2010-12-01 08:26:00,2.55,17850", "StockCode"),
    ] {
        let error = retail::parse(&text(&format!("{header}{row}\n"))).unwrap_err();
        assert_eq!((error.line, error.column.as_str()), (2, column), "{error}");
        let nobody = row.replace("17850", "");
        let error = retail::parse(&text(&format!("{header}{nobody}\n"))).unwrap_err();
        assert_eq!(error.what, "holds no lines with a customer");
    }
    let huge = "1,A,1000000000,2010-12-01 08:26:00,9999999999,1";
    assert!(retail::parse(&text(&format!("{header}{huge}\n"))).unwrap_err().what.contains("exceeds 64 bits"));
}

#[test]
fn a_quote_that_is_left_open_swallows_nothing() {
    let header = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";
    let row = |country: &str| format!("1,A,3,2010-12-01 08:26:00,0.5,17850,{country}\n");
    let file = |countries: &[&str]| text(&countries.iter().fold(header.to_owned(), |all, country| all + &row(country)));
    for (countries, line) in [
        (&["X", "\"Y", "Z", "Z"][..], 3),
        (&["\"X\nX\"", "\"Y\"\"", "Z"][..], 4),
        (&["X", "Y", "\""][..], 4),
        (&["\"X\"\"\"\"", "Z"][..], 2),
    ] {
        let error = retail::parse(&file(countries)).unwrap_err();
        assert_eq!((error.line, error.column.as_str()), (line, ""), "{countries:?}: {error}");
        assert!(error.what.contains("never closed"), "{error}");
    }
    // A quote that opens nothing, and one that is written twice, are text.
    let whole = retail::parse(&file(&["5\" pipe", "\"a \"\"b\"\"\"", "\"\"", "\"x,\ny\""])).unwrap();
    assert_eq!(whole.lines.len(), 4);
    let last = text(&(header.to_owned() + row("\"X\"").trim_end()));
    assert_eq!(retail::parse(&last).unwrap().lines.len(), 1);
}

#[test]
fn totals_are_exact_to_the_finest_price() {
    let content = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID\n\
                   1,A,3,2010-12-01 08:26:00,0.0425,17850\n1,B,-1,2010-12-01 08:26:00,1,17850\n";
    let read = retail::parse(&text(content)).unwrap();
    assert_eq!((read.places, read.totals.values().copied().collect::<Vec<_>>()), (4, vec![3 * 425 - 10_000]));
}
