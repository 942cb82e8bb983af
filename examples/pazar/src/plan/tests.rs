//! Order, batches, and the counts of the real files, all without a store.

use super::*;
use crate::input::{Text, hotel as hotel_file, read, retail as retail_file};
use crate::sample;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const HOTEL_HEADER: &str = "row,hotel,lead_time,arrival_date_year,arrival_date_month,arrival_date_day_of_month,\
    stays_in_weekend_nights,stays_in_week_nights,adults,children,babies,reserved_room_type,assigned_room_type,booking_changes,\
    deposit_type,agent,company,days_in_waiting_list,adr,reservation_status,reservation_status_date";

fn bookings(rows: &[&str]) -> Plan {
    let text = Text { name: "test.csv".into(), bytes: format!("{HOTEL_HEADER}\n{}\n", rows.join("\n")).into_bytes() };
    Plan::of_bookings("test.csv", text.digest(), hotel_file::parse(&text).unwrap()).unwrap()
}

fn lines(rows: &[&str]) -> Plan {
    let header = "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID";
    let text = Text { name: "test.csv".into(), bytes: format!("{header}\n{}\n", rows.join("\n")).into_bytes() };
    Plan::of_lines("test.csv", text.digest(), retail_file::parse(&text).unwrap()).unwrap()
}

fn told(plan: &Plan) -> Vec<(String, Vec<&'static str>)> {
    plan.events.iter().map(|e| (plan.describe(e), plan.expected(e).to_vec())).collect()
}

/// (attempted by name, refused by code, refused calls).
fn counted(plan: &Plan) -> (BTreeMap<&'static str, u64>, BTreeMap<&'static str, u64>, usize) {
    let (mut steps, mut codes, mut refused) = (BTreeMap::new(), BTreeMap::new(), 0);
    for event in &plan.events {
        *steps.entry(event.what.name()).or_default() += 1;
        let expected = plan.expected(event);
        refused += usize::from(!expected.is_empty());
        expected.iter().for_each(|code| *codes.entry(*code).or_default() += 1);
    }
    (steps, codes, refused)
}

fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: ../shared/data is absent");
    None
}

#[test]
fn tenants_are_named_after_hotels() {
    assert_eq!(slug("Resort Hotel").unwrap().as_str(), "resort-hotel");
    assert_eq!(slug("  City -- Hotel (2) ").unwrap().as_str(), "city-hotel-2");
    assert_eq!(slug(&"x ".repeat(60)).unwrap().as_str().len(), 63);
    assert!(slug("Universe").is_err());
    assert!(slug("…").is_err());
}

#[test]
fn a_booking_goes_through_its_events_in_order() {
    let plan = bookings(&["7,Resort Hotel,10,2015,July,11,0,2,2,NA,0,A,C,2,No Deposit,240,NULL,3,75.5,Check-Out,2015-07-13"]);
    let expected = [
        "row 7, `request` on 2015-07-01",
        "row 7, `waitlist` on 2015-07-01",
        "row 7, `confirm` on 2015-07-04",
        "row 7, `modify` on 2015-07-04",
        "row 7, `modify` on 2015-07-04",
        "row 7, `reassign` on 2015-07-04",
        "row 7, `check_in` on 2015-07-11",
        "row 7, `check_out` on 2015-07-13",
    ];
    assert_eq!(told(&plan).into_iter().map(|(what, _)| what).collect::<Vec<_>>(), expected);
    assert!(plan.events.iter().enumerate().all(|(i, e)| usize::from(e.step) == i));
}

#[test]
fn a_refused_booking_has_no_further_events_and_every_reason() {
    let plan = bookings(&[
        "1,H,0,2015,July,1,0,0,0,0,0,A,A,5,No Deposit,NULL,NULL,0,0,Check-Out,2015-07-01",
        "2,H,0,2015,July,1,0,0,1,0,0,A,A,5,No Deposit,NULL,NULL,0,0,Check-Out,2015-07-01",
        "3,H,0,2015,July,1,0,1,0,0,1,A,A,0,No Deposit,NULL,NULL,0,-6.38,Canceled,2015-07-01",
    ]);
    let told = told(&plan);
    assert_eq!(told[0], ("row 1, `request` on 2015-07-01".into(), vec!["reservation.no_guests", "reservation.no_nights"]));
    assert_eq!(told[1].1, ["reservation.no_nights"]);
    assert_eq!(told.len(), 2 + 3, "request, confirm and cancel of row 3 alone go on: {told:?}");
}

#[test]
fn an_event_never_happens_before_its_forerunner() {
    // Cancelled on the day it was booked, confirmed five days later, as the file has it.
    let plan = bookings(&["1,H,10,2015,July,11,0,1,1,0,0,A,A,0,Non Refund,1,2,5,1,Canceled,2015-07-01"]);
    let told: Vec<_> = told(&plan).into_iter().map(|(what, _)| what).collect();
    assert_eq!(told[2..], ["row 1, `confirm` on 2015-07-06", "row 1, `cancel` on 2015-07-06"]);
    let Market::Hotels(hotels) = &plan.market else { panic!("bookings are hotels'") };
    assert_eq!((hotels.moved, hotels.forfeits()), (1, 1));
}

#[test]
fn a_time_that_no_clock_comes_to_is_refused_with_its_place() {
    let planned = |rows: &[(&str, i32, &str)]| {
        let row = |(row, (hotel, year, settled)): (usize, &(&str, i32, &str))| {
            format!("{row},{hotel},0,{year},July,1,0,1,1,0,0,A,A,0,No Deposit,NULL,NULL,0,1,Check-Out,{settled}\n")
        };
        let rows: String = (1..).zip(rows).map(row).collect();
        let text = Text { name: "test.csv".into(), bytes: format!("{HOTEL_HEADER}\n{rows}").into_bytes() };
        Plan::of_bookings("test.csv", text.digest(), hotel_file::parse(&text).unwrap()).map_err(|trouble| trouble.to_string())
    };
    // What the engine takes in one leap to the day: five years of 366 days.
    planned(&[("A", 2015, "2015-07-02"), ("A", 2015, "2020-07-05")]).unwrap();
    // Each hotel has records of its own; those of the first one are the notes of the others' days, too.
    planned(&[("A", 2015, "2015-07-02"), ("B", 2019, "2019-07-02"), ("A", 2021, "2021-07-02")]).unwrap();
    let (arrival, status) = ("arrival_date_year", "reservation_status_date");
    for (rows, line, column, wanted) in [
        (
            &[("A", 2015, "2015-07-02"), ("A", 2015, "2020-07-06")][..],
            3,
            status,
            "row 2, `check_out` on 2020-07-06: more than 1830 days behind what comes before it, on 2015-07-02",
        ),
        (&[("A", 2015, "2015-07-02"), ("A", 2260, "2260-07-02")][..], 3, arrival, "row 2, `request` on 2260-07-01: more than"),
        (
            &[("A", 2015, "2015-07-02"), ("A", 2019, "2019-07-02"), ("B", 2021, "2021-07-02")][..],
            4,
            arrival,
            "row 3, `request` on 2021-07-01: more than 1830 days behind what comes before it, on 2015-07-01",
        ),
        (&[("A", 2260, "2262-07-02")][..], 2, status, "row 1, `check_out` on 2262-07-02: later than any record may be"),
    ] {
        let said = planned(rows).unwrap_err();
        assert!(said.starts_with(&format!("test.csv, line {line}, column `{column}`: {wanted}")), "{said}");
    }
}

#[test]
fn the_order_of_lines_in_the_file_does_not_matter() {
    let rows = [
        "3,A Hotel,0,2015,July,1,0,1,1,0,0,A,A,1,No Deposit,NULL,110,0,1,Check-Out,2015-07-02",
        "1,B Hotel,0,2015,July,1,0,1,1,0,0,A,B,0,No Deposit,NULL,NULL,0,1,Check-Out,2015-07-02",
        "2,A Hotel,1,2015,July,2,0,1,1,0,0,A,A,0,No Deposit,9,NULL,0,1,No-Show,2015-07-02",
    ];
    let forward = bookings(&rows);
    let backward = bookings(&[rows[2], rows[1], rows[0]]);
    assert_eq!(told(&forward), told(&backward));
    assert_eq!(forward.events, backward.events);
}

#[test]
fn ties_of_different_bookings_are_independent() {
    // Whatever the order among ties, each booking's own events keep theirs, and nothing of a call depends on another booking.
    let plan = Plan::of_bookings("sample", String::new(), hotel_file::parse(&sample::text(3, 300)).unwrap()).unwrap();
    assert!(plan.events.windows(2).all(|w| (w[0].at, w[0].item, w[0].step) < (w[1].at, w[1].item, w[1].step)));
    let mut next = BTreeMap::new();
    for event in &plan.events {
        let step = next.entry(event.item).or_insert(0);
        assert_eq!(event.step, *step, "{}", plan.describe(event));
        *step += 1;
    }
    let mut other = plan.events.clone();
    other.sort_by_key(|e| (e.at, std::cmp::Reverse(e.item), e.step));
    for event in &other {
        let original = plan.events.iter().find(|e| (e.item, e.step) == (event.item, event.step)).unwrap();
        assert_eq!(plan.call(event).unwrap(), plan.call(original).unwrap());
    }
}

#[test]
fn batches_cover_all_events_once_and_hold_one_hour() {
    let plan = Plan::of_bookings("sample", String::new(), hotel_file::parse(&sample::text(3, 3_000)).unwrap()).unwrap();
    let mut next = 0;
    while next < plan.events.len() {
        let batch = plan.batch(next);
        assert_eq!(batch.start, next);
        assert!((1..=BATCH_MAX).contains(&batch.len()));
        assert!(plan.events[batch.clone()].iter().all(|e| e.at / HOUR_MS == plan.events[next].at / HOUR_MS));
        next = batch.end;
    }
    assert!(plan.batch(next).is_empty());
    let crowded: Vec<String> = (1..=600)
        .map(|row| format!("{row},H,0,2015,July,1,0,0,1,0,0,A,A,0,No Deposit,NULL,NULL,0,1,Check-Out,2015-07-02"))
        .collect();
    let crowded = bookings(&crowded.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!((crowded.batch(0), crowded.batch(512)), (0..512, 512..600));
}

#[test]
fn who_calls_is_who_acts() {
    let plan = bookings(&["7,Resort Hotel,10,2015,July,11,0,2,2,1,1,A,C,1,Refundable,240,110,0,75.5,Canceled,2015-07-05"]);
    let by: Vec<_> = plan.events.iter().map(|e| plan.call(e).unwrap().1.by().principal.id().to_owned()).collect();
    assert_eq!(by, ["agent-240", "front-desk", "agent-240", "front-desk", "agent-240"]);
    let Call::Begin(begin) = plan.call(&plan.events[0]).unwrap().1 else { panic!("a request is a birth") };
    assert_eq!(begin.facts["guests"], 4.into());
    assert_eq!(begin.facts["rate"], 7_550.into());
    assert_eq!(begin.once.unwrap().as_str(), "r7-0");
    assert_eq!(plan.cast.accounts, ["front-desk", "replayer", "agent-240"]);
}

#[test]
fn an_invoice_is_placed_once_and_its_book_is_kept() {
    let plan = lines(&[
        "C3,X,-2,12/1/10 9:00,2.5,17850.0",
        "1,X,3,12/1/10 8:26,2.55,17850",
        "1,Y,1,12/1/10 8:27,0.001,17850",
        "2,X,3,12/1/10 8:30,2.55,",
        "C4,X,-2,12/1/10 9:01,2.5,17850",
        "C5,Y,-1,12/1/10 9:02,-2.5,13047",
        "C6,X,-1,12/1/10 9:03,2.5,17850",
        "C7,X,1,12/1/10 9:04,2.5,17850",
    ]);
    let told: Vec<_> = told(&plan).into_iter().map(|(what, why)| format!("{what}: {}", why.join(" "))).collect();
    let expected = [
        "invoice 1, line 2, `order.place`: ",
        "invoice C3, line 1, `return.accept`: ",
        "invoice C4, line 5, `return.accept`: return.exceeds_balance",
        "invoice C5, line 6, `return.accept`: return.nothing_bought",
        "invoice C6, line 7, `return.accept`: ",
        "invoice C7, line 8, `return.accept`: return.no_quantity return.nothing_bought",
    ];
    assert_eq!(told, expected);
    let Call::Begin(place) = plan.call(&plan.events[0]).unwrap().1 else { panic!("an order is born") };
    assert_eq!(place.facts["total"], (3 * 2_550 + 1).into());
    let Call::Begin(back) = plan.call(&plan.events[2]).unwrap().1 else { panic!("a return is born") };
    assert_eq!((back.id.as_str(), &back.args["balance"], &back.facts["quantity"]), ("C4-5", &1.into(), &2.into()));
    assert_eq!(back.facts["price"], "2.5".into());
}

#[test]
fn the_real_bookings_come_to_their_known_counts() {
    let Some(path) = shared("reservations/dev_resort_2015.csv.gz") else { return };
    let text = read(&path).unwrap();
    let plan = Plan::of_bookings(&text.name, text.digest(), hotel_file::parse(&text).unwrap()).unwrap();
    let (steps, codes, refused) = counted(&plan);
    let expected = [
        ("cancel", 2_069),
        ("check_in", 6_073),
        ("check_out", 6_073),
        ("confirm", 8_210),
        ("modify", 1_937),
        ("no_show", 68),
        ("reassign", 1_800),
        ("request", 8_314),
        ("waitlist", 105),
    ];
    assert_eq!(steps, BTreeMap::from(expected));
    assert_eq!(codes, BTreeMap::from([("reservation.no_guests", 5), ("reservation.no_nights", 100)]));
    assert_eq!((plan.events.len(), plan.events.len() - refused), (34_649, 34_545));
    let Market::Hotels(hotels) = &plan.market else { panic!("bookings are hotels'") };
    assert_eq!((hotels.bookings(), hotels.forfeits(), hotels.moved), (8_314, 497, 0));
    assert_eq!(plan.cast.tenants.iter().map(|t| t.as_str()).collect::<Vec<_>>(), ["resort-hotel"]);
}

#[test]
fn the_real_orders_come_to_their_known_counts() {
    let Some(path) = shared("orders/dev_2010-12.csv.gz") else { return };
    let text = read(&path).unwrap();
    let plan = Plan::of_lines(&text.name, text.digest(), retail_file::parse(&text).unwrap()).unwrap();
    let (steps, codes, refused) = counted(&plan);
    assert_eq!(steps, BTreeMap::from([("accept", 690), ("place", 1_400)]));
    assert_eq!(codes, BTreeMap::from([("return.exceeds_balance", 2), ("return.nothing_bought", 389)]));
    assert_eq!(refused, 391);
    for event in &plan.events {
        plan.call(event).unwrap();
    }
}
