// Made by `hos law types --rust` from the law `pazar`; do not edit. `include!` it in a module of your own.

/// Ids of actions, for `Can::new`.
pub mod action {
    /// `consent.expire`
    pub const CONSENT_EXPIRE: &str = "consent.expire";
    /// `consent.give`
    pub const CONSENT_GIVE: &str = "consent.give";
    /// `consent.renew`
    pub const CONSENT_RENEW: &str = "consent.renew";
    /// `consent.view`
    pub const CONSENT_VIEW: &str = "consent.view";
    /// `consent.withdraw`
    pub const CONSENT_WITHDRAW: &str = "consent.withdraw";
    /// `directory.account`
    pub const DIRECTORY_ACCOUNT: &str = "directory.account";
    /// `directory.entity`
    pub const DIRECTORY_ENTITY: &str = "directory.entity";
    /// `directory.grant`
    pub const DIRECTORY_GRANT: &str = "directory.grant";
    /// `directory.member`
    pub const DIRECTORY_MEMBER: &str = "directory.member";
    /// `directory.remove`
    pub const DIRECTORY_REMOVE: &str = "directory.remove";
    /// `directory.revoke`
    pub const DIRECTORY_REVOKE: &str = "directory.revoke";
    /// `directory.unmember`
    pub const DIRECTORY_UNMEMBER: &str = "directory.unmember";
    /// `evidence.erase`
    pub const EVIDENCE_ERASE: &str = "evidence.erase";
    /// `evidence.hold`
    pub const EVIDENCE_HOLD: &str = "evidence.hold";
    /// `evidence.release`
    pub const EVIDENCE_RELEASE: &str = "evidence.release";
    /// `law.activate`
    pub const LAW_ACTIVATE: &str = "law.activate";
    /// `order.adopt`
    pub const ORDER_ADOPT: &str = "order.adopt";
    /// `order.cancel`
    pub const ORDER_CANCEL: &str = "order.cancel";
    /// `order.change`
    pub const ORDER_CHANGE: &str = "order.change";
    /// `order.close`
    pub const ORDER_CLOSE: &str = "order.close";
    /// `order.deliver`
    pub const ORDER_DELIVER: &str = "order.deliver";
    /// `order.draft`
    pub const ORDER_DRAFT: &str = "order.draft";
    /// `order.expire`
    pub const ORDER_EXPIRE: &str = "order.expire";
    /// `order.force_refund`
    pub const ORDER_FORCE_REFUND: &str = "order.force_refund";
    /// `order.pay`
    pub const ORDER_PAY: &str = "order.pay";
    /// `order.place`
    pub const ORDER_PLACE: &str = "order.place";
    /// `order.refund`
    pub const ORDER_REFUND: &str = "order.refund";
    /// `order.refund_failed`
    pub const ORDER_REFUND_FAILED: &str = "order.refund_failed";
    /// `order.refunded`
    pub const ORDER_REFUNDED: &str = "order.refunded";
    /// `order.reopen`
    pub const ORDER_REOPEN: &str = "order.reopen";
    /// `order.ship`
    pub const ORDER_SHIP: &str = "order.ship";
    /// `order.view`
    pub const ORDER_VIEW: &str = "order.view";
    /// `outbox.poll`
    pub const OUTBOX_POLL: &str = "outbox.poll";
    /// `payment.adopt`
    pub const PAYMENT_ADOPT: &str = "payment.adopt";
    /// `payment.cancel`
    pub const PAYMENT_CANCEL: &str = "payment.cancel";
    /// `payment.capture`
    pub const PAYMENT_CAPTURE: &str = "payment.capture";
    /// `payment.confirm`
    pub const PAYMENT_CONFIRM: &str = "payment.confirm";
    /// `payment.expire`
    pub const PAYMENT_EXPIRE: &str = "payment.expire";
    /// `payment.fail`
    pub const PAYMENT_FAIL: &str = "payment.fail";
    /// `payment.request`
    pub const PAYMENT_REQUEST: &str = "payment.request";
    /// `payment.view`
    pub const PAYMENT_VIEW: &str = "payment.view";
    /// `product.edit`
    pub const PRODUCT_EDIT: &str = "product.edit";
    /// `product.view`
    pub const PRODUCT_VIEW: &str = "product.view";
    /// `record.note`
    pub const RECORD_NOTE: &str = "record.note";
    /// `reservation.adopt`
    pub const RESERVATION_ADOPT: &str = "reservation.adopt";
    /// `reservation.cancel`
    pub const RESERVATION_CANCEL: &str = "reservation.cancel";
    /// `reservation.check_in`
    pub const RESERVATION_CHECK_IN: &str = "reservation.check_in";
    /// `reservation.check_out`
    pub const RESERVATION_CHECK_OUT: &str = "reservation.check_out";
    /// `reservation.confirm`
    pub const RESERVATION_CONFIRM: &str = "reservation.confirm";
    /// `reservation.modify`
    pub const RESERVATION_MODIFY: &str = "reservation.modify";
    /// `reservation.no_show`
    pub const RESERVATION_NO_SHOW: &str = "reservation.no_show";
    /// `reservation.reassign`
    pub const RESERVATION_REASSIGN: &str = "reservation.reassign";
    /// `reservation.request`
    pub const RESERVATION_REQUEST: &str = "reservation.request";
    /// `reservation.view`
    pub const RESERVATION_VIEW: &str = "reservation.view";
    /// `reservation.waitlist`
    pub const RESERVATION_WAITLIST: &str = "reservation.waitlist";
    /// `return.accept`
    pub const RETURN_ACCEPT: &str = "return.accept";
    /// `return.receive`
    pub const RETURN_RECEIVE: &str = "return.receive";
    /// `return.reject`
    pub const RETURN_REJECT: &str = "return.reject";
    /// `return.settle`
    pub const RETURN_SETTLE: &str = "return.settle";
    /// `return.view`
    pub const RETURN_VIEW: &str = "return.view";
    /// `shop.edit`
    pub const SHOP_EDIT: &str = "shop.edit";
    /// `shop.report`
    pub const SHOP_REPORT: &str = "shop.report";
    /// `shop.view`
    pub const SHOP_VIEW: &str = "shop.view";
    /// `tenant.open`
    pub const TENANT_OPEN: &str = "tenant.open";
}

/// The contract `consent`.
pub mod consent {
    #[allow(unused_imports, reason = "not every contract has a birth, an event and a fact")]
    use hos_engine::call::{Begin, Transition};
    use hos_core::id::{IdError, Uid};
    #[allow(unused_imports, reason = "as above")]
    use hos_core::value::{Ext, Value};

    /// A state.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum State {
        /// `given`
        Given,
        /// `withdrawn`
        Withdrawn,
        /// `expired`
        Expired,
    }

    impl State {
        /// Its name.
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Given => "given",
                Self::Withdrawn => "withdrawn",
                Self::Expired => "expired",
            }
        }
    }

    /// `give`
    #[derive(Debug, Clone)]
    pub struct Give {
        /// The fact `ends`.
        pub ends: String,
        /// The fact `person`.
        pub person: Uid,
        /// The fact `purpose`.
        pub purpose: String,
        /// The fact `wording`.
        pub wording: String,
    }

    impl Give {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Begin, IdError> {
            let mut call = Begin::new(principal, "consent", id, "give")?;
            call = call.fact("ends", Value::Ext(Ext::Datetime, self.ends));
            call = call.fact("person", Value::Entity(self.person));
            call = call.fact("purpose", Value::String(self.purpose));
            call = call.fact("wording", Value::String(self.wording));
            Ok(call)
        }
    }

    /// `expire`
    #[derive(Debug, Clone)]
    pub struct Expire {
    }

    impl Expire {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "consent", id, "expire")?;
            Ok(call)
        }
    }

    /// `renew`
    #[derive(Debug, Clone)]
    pub struct Renew {
        /// The arg `ends`.
        pub ends: String,
        /// The arg `wording`.
        pub wording: String,
    }

    impl Renew {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "consent", id, "renew")?;
            call = call.arg("ends", Value::Ext(Ext::Datetime, self.ends));
            call = call.arg("wording", Value::String(self.wording));
            Ok(call)
        }
    }

    /// `withdraw`
    #[derive(Debug, Clone)]
    pub struct Withdraw {
    }

    impl Withdraw {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "consent", id, "withdraw")?;
            Ok(call)
        }
    }
}

/// The contract `order`.
pub mod order {
    #[allow(unused_imports, reason = "not every contract has a birth, an event and a fact")]
    use hos_engine::call::{Begin, Transition};
    use hos_core::id::{IdError, Uid};
    #[allow(unused_imports, reason = "as above")]
    use hos_core::value::{Ext, Value};

    /// A state.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum State {
        /// `cart`
        Cart,
        /// `new`
        New,
        /// `paid`
        Paid,
        /// `refunding`
        Refunding,
        /// `shipped`
        Shipped,
        /// `fulfilled`
        Fulfilled,
        /// `refunded`
        Refunded,
        /// `cancelled`
        Cancelled,
        /// `expired`
        Expired,
    }

    impl State {
        /// Its name.
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Cart => "cart",
                Self::New => "new",
                Self::Paid => "paid",
                Self::Refunding => "refunding",
                Self::Shipped => "shipped",
                Self::Fulfilled => "fulfilled",
                Self::Refunded => "refunded",
                Self::Cancelled => "cancelled",
                Self::Expired => "expired",
            }
        }
    }

    /// `draft`
    #[derive(Debug, Clone)]
    pub struct Draft {
        /// The fact `buyer`.
        pub buyer: Uid,
        /// The fact `lines`.
        pub lines: Option<Vec<String>>,
        /// The fact `shop`.
        pub shop: Uid,
        /// The fact `total`.
        pub total: i64,
    }

    impl Draft {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Begin, IdError> {
            let mut call = Begin::new(principal, "order", id, "draft")?;
            call = call.fact("buyer", Value::Entity(self.buyer));
            if let Some(given) = self.lines {
                call = call.fact("lines", Value::Set(given.into_iter().map(Value::String).collect()));
            }
            call = call.fact("shop", Value::Entity(self.shop));
            call = call.fact("total", Value::Long(self.total));
            Ok(call)
        }
    }

    /// `place`
    #[derive(Debug, Clone)]
    pub struct Place {
        /// The fact `buyer`.
        pub buyer: Uid,
        /// The fact `lines`.
        pub lines: Option<Vec<String>>,
        /// The fact `shop`.
        pub shop: Uid,
        /// The fact `total`.
        pub total: i64,
    }

    impl Place {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Begin, IdError> {
            let mut call = Begin::new(principal, "order", id, "place")?;
            call = call.fact("buyer", Value::Entity(self.buyer));
            if let Some(given) = self.lines {
                call = call.fact("lines", Value::Set(given.into_iter().map(Value::String).collect()));
            }
            call = call.fact("shop", Value::Entity(self.shop));
            call = call.fact("total", Value::Long(self.total));
            Ok(call)
        }
    }

    /// `cancel`
    #[derive(Debug, Clone)]
    pub struct Cancel {
    }

    impl Cancel {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "order", id, "cancel")?;
            Ok(call)
        }
    }

    /// `change`
    #[derive(Debug, Clone)]
    pub struct Change {
        /// The arg `total`.
        pub total: i64,
    }

    impl Change {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "change")?;
            call = call.arg("total", Value::Long(self.total));
            Ok(call)
        }
    }

    /// `close`
    #[derive(Debug, Clone)]
    pub struct Close {
    }

    impl Close {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "order", id, "close")?;
            Ok(call)
        }
    }

    /// `deliver`
    #[derive(Debug, Clone)]
    pub struct Deliver {
    }

    impl Deliver {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "order", id, "deliver")?;
            Ok(call)
        }
    }

    /// `expire`
    #[derive(Debug, Clone)]
    pub struct Expire {
    }

    impl Expire {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "order", id, "expire")?;
            Ok(call)
        }
    }

    /// `force_refund`
    #[derive(Debug, Clone)]
    pub struct ForceRefund {
        /// Why: an override says so.
        pub reason: String,
    }

    impl ForceRefund {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "force_refund")?;
            call = call.because(&self.reason);
            Ok(call)
        }
    }

    /// `pay`
    #[derive(Debug, Clone)]
    pub struct Pay {
        /// The arg `amount`.
        pub amount: i64,
        /// The arg `psp_ref`.
        pub psp_ref: String,
    }

    impl Pay {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "pay")?;
            call = call.arg("amount", Value::Long(self.amount));
            call = call.arg("psp_ref", Value::String(self.psp_ref));
            Ok(call)
        }
    }

    /// `refund`
    #[derive(Debug, Clone)]
    pub struct Refund {
        /// The arg `amount`.
        pub amount: i64,
        /// The arg `reason`.
        pub reason: String,
    }

    impl Refund {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "refund")?;
            call = call.arg("amount", Value::Long(self.amount));
            call = call.arg("reason", Value::String(self.reason));
            Ok(call)
        }
    }

    /// `refund_failed`
    #[derive(Debug, Clone)]
    pub struct RefundFailed {
        /// The arg `reason`.
        pub reason: String,
    }

    impl RefundFailed {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "refund_failed")?;
            call = call.arg("reason", Value::String(self.reason));
            Ok(call)
        }
    }

    /// `refunded`
    #[derive(Debug, Clone)]
    pub struct Refunded {
        /// The arg `psp_ref`.
        pub psp_ref: String,
    }

    impl Refunded {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "refunded")?;
            call = call.arg("psp_ref", Value::String(self.psp_ref));
            Ok(call)
        }
    }

    /// `reopen`
    #[derive(Debug, Clone)]
    pub struct Reopen {
        /// Why: an override says so.
        pub reason: String,
    }

    impl Reopen {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "reopen")?;
            call = call.because(&self.reason);
            Ok(call)
        }
    }

    /// `ship`
    #[derive(Debug, Clone)]
    pub struct Ship {
        /// The arg `all_in_stock`.
        pub all_in_stock: bool,
        /// The arg `tracking`.
        pub tracking: String,
    }

    impl Ship {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "order", id, "ship")?;
            call = call.arg("all_in_stock", Value::Bool(self.all_in_stock));
            call = call.arg("tracking", Value::String(self.tracking));
            Ok(call)
        }
    }

    /// `submit`
    #[derive(Debug, Clone)]
    pub struct Submit {
    }

    impl Submit {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "order", id, "submit")?;
            Ok(call)
        }
    }
}

/// The contract `payment`.
pub mod payment {
    #[allow(unused_imports, reason = "not every contract has a birth, an event and a fact")]
    use hos_engine::call::{Begin, Transition};
    use hos_core::id::{IdError, Uid};
    #[allow(unused_imports, reason = "as above")]
    use hos_core::value::{Ext, Value};

    /// A state.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum State {
        /// `pending`
        Pending,
        /// `captured`
        Captured,
        /// `failed`
        Failed,
        /// `cancelled`
        Cancelled,
        /// `expired`
        Expired,
    }

    impl State {
        /// Its name.
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Pending => "pending",
                Self::Captured => "captured",
                Self::Failed => "failed",
                Self::Cancelled => "cancelled",
                Self::Expired => "expired",
            }
        }
    }

    /// `request`
    #[derive(Debug, Clone)]
    pub struct Request {
        /// The fact `amount`.
        pub amount: i64,
        /// The fact `order`.
        pub order: String,
        /// The fact `payer`.
        pub payer: Uid,
        /// The fact `provider`.
        pub provider: Uid,
    }

    impl Request {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Begin, IdError> {
            let mut call = Begin::new(principal, "payment", id, "request")?;
            call = call.fact("amount", Value::Long(self.amount));
            call = call.fact("order", Value::String(self.order));
            call = call.fact("payer", Value::Entity(self.payer));
            call = call.fact("provider", Value::Entity(self.provider));
            Ok(call)
        }
    }

    /// `cancel`
    #[derive(Debug, Clone)]
    pub struct Cancel {
    }

    impl Cancel {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "payment", id, "cancel")?;
            Ok(call)
        }
    }

    /// `capture`
    #[derive(Debug, Clone)]
    pub struct Capture {
        /// The arg `amount`.
        pub amount: i64,
        /// The arg `psp_ref`.
        pub psp_ref: String,
    }

    impl Capture {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "payment", id, "capture")?;
            call = call.arg("amount", Value::Long(self.amount));
            call = call.arg("psp_ref", Value::String(self.psp_ref));
            Ok(call)
        }
    }

    /// `confirm`
    #[derive(Debug, Clone)]
    pub struct Confirm {
        /// The arg `amount`.
        pub amount: i64,
        /// The arg `statement`.
        pub statement: String,
    }

    impl Confirm {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "payment", id, "confirm")?;
            call = call.arg("amount", Value::Long(self.amount));
            call = call.arg("statement", Value::String(self.statement));
            Ok(call)
        }
    }

    /// `expire`
    #[derive(Debug, Clone)]
    pub struct Expire {
    }

    impl Expire {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "payment", id, "expire")?;
            Ok(call)
        }
    }

    /// `fail`
    #[derive(Debug, Clone)]
    pub struct Fail {
        /// The arg `reason`.
        pub reason: String,
    }

    impl Fail {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "payment", id, "fail")?;
            call = call.arg("reason", Value::String(self.reason));
            Ok(call)
        }
    }
}

/// The contract `reservation`.
pub mod reservation {
    #[allow(unused_imports, reason = "not every contract has a birth, an event and a fact")]
    use hos_engine::call::{Begin, Transition};
    use hos_core::id::{IdError, Uid};
    #[allow(unused_imports, reason = "as above")]
    use hos_core::value::{Ext, Value};

    /// A state.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum State {
        /// `requested`
        Requested,
        /// `waitlisted`
        Waitlisted,
        /// `confirmed`
        Confirmed,
        /// `checked_in`
        CheckedIn,
        /// `checked_out`
        CheckedOut,
        /// `cancelled`
        Cancelled,
        /// `no_show`
        NoShow,
    }

    impl State {
        /// Its name.
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Requested => "requested",
                Self::Waitlisted => "waitlisted",
                Self::Confirmed => "confirmed",
                Self::CheckedIn => "checked_in",
                Self::CheckedOut => "checked_out",
                Self::Cancelled => "cancelled",
                Self::NoShow => "no_show",
            }
        }
    }

    /// `request`
    #[derive(Debug, Clone)]
    pub struct Request {
        /// The fact `arrival`.
        pub arrival: Option<String>,
        /// The fact `booker`.
        pub booker: Uid,
        /// The fact `deposit`.
        pub deposit: String,
        /// The fact `guests`.
        pub guests: i64,
        /// The fact `nights`.
        pub nights: i64,
        /// The fact `rate`.
        pub rate: i64,
        /// The fact `room`.
        pub room: String,
    }

    impl Request {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Begin, IdError> {
            let mut call = Begin::new(principal, "reservation", id, "request")?;
            if let Some(given) = self.arrival {
                call = call.fact("arrival", Value::Ext(Ext::Datetime, given));
            }
            call = call.fact("booker", Value::Entity(self.booker));
            call = call.fact("deposit", Value::String(self.deposit));
            call = call.fact("guests", Value::Long(self.guests));
            call = call.fact("nights", Value::Long(self.nights));
            call = call.fact("rate", Value::Long(self.rate));
            call = call.fact("room", Value::String(self.room));
            Ok(call)
        }
    }

    /// `cancel`
    #[derive(Debug, Clone)]
    pub struct Cancel {
    }

    impl Cancel {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "cancel")?;
            Ok(call)
        }
    }

    /// `check_in`
    #[derive(Debug, Clone)]
    pub struct CheckIn {
    }

    impl CheckIn {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "check_in")?;
            Ok(call)
        }
    }

    /// `check_out`
    #[derive(Debug, Clone)]
    pub struct CheckOut {
    }

    impl CheckOut {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "check_out")?;
            Ok(call)
        }
    }

    /// `confirm`
    #[derive(Debug, Clone)]
    pub struct Confirm {
    }

    impl Confirm {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "confirm")?;
            Ok(call)
        }
    }

    /// `modify`
    #[derive(Debug, Clone)]
    pub struct Modify {
    }

    impl Modify {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "modify")?;
            Ok(call)
        }
    }

    /// `no_show`
    #[derive(Debug, Clone)]
    pub struct NoShow {
    }

    impl NoShow {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "no_show")?;
            Ok(call)
        }
    }

    /// `reassign`
    #[derive(Debug, Clone)]
    pub struct Reassign {
        /// The arg `room`.
        pub room: String,
    }

    impl Reassign {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "reservation", id, "reassign")?;
            call = call.arg("room", Value::String(self.room));
            Ok(call)
        }
    }

    /// `waitlist`
    #[derive(Debug, Clone)]
    pub struct Waitlist {
    }

    impl Waitlist {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "reservation", id, "waitlist")?;
            Ok(call)
        }
    }
}

/// The contract `return`.
pub mod r#return {
    #[allow(unused_imports, reason = "not every contract has a birth, an event and a fact")]
    use hos_engine::call::{Begin, Transition};
    use hos_core::id::{IdError, Uid};
    #[allow(unused_imports, reason = "as above")]
    use hos_core::value::{Ext, Value};

    /// A state.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum State {
        /// `accepted`
        Accepted,
        /// `received`
        Received,
        /// `settled`
        Settled,
        /// `rejected`
        Rejected,
    }

    impl State {
        /// Its name.
        pub fn as_str(self) -> &'static str {
            match self {
                Self::Accepted => "accepted",
                Self::Received => "received",
                Self::Settled => "settled",
                Self::Rejected => "rejected",
            }
        }
    }

    /// `accept`
    #[derive(Debug, Clone)]
    pub struct Accept {
        /// The fact `customer`.
        pub customer: Uid,
        /// The fact `price`.
        pub price: String,
        /// The fact `quantity`.
        pub quantity: i64,
        /// The fact `sku`.
        pub sku: String,
        /// The arg `balance`.
        pub balance: i64,
    }

    impl Accept {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Begin, IdError> {
            let mut call = Begin::new(principal, "return", id, "accept")?;
            call = call.fact("customer", Value::Entity(self.customer));
            call = call.fact("price", Value::String(self.price));
            call = call.fact("quantity", Value::Long(self.quantity));
            call = call.fact("sku", Value::String(self.sku));
            call = call.arg("balance", Value::Long(self.balance));
            Ok(call)
        }
    }

    /// `receive`
    #[derive(Debug, Clone)]
    pub struct Receive {
    }

    impl Receive {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "return", id, "receive")?;
            Ok(call)
        }
    }

    /// `reject`
    #[derive(Debug, Clone)]
    pub struct Reject {
        /// The arg `reason`.
        pub reason: String,
    }

    impl Reject {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let mut call = Transition::new(principal, "return", id, "reject")?;
            call = call.arg("reason", Value::String(self.reason));
            Ok(call)
        }
    }

    /// `settle`
    #[derive(Debug, Clone)]
    pub struct Settle {
    }

    impl Settle {
        /// The call.
        pub fn by(self, principal: Uid, id: &str) -> Result<Transition, IdError> {
            let call = Transition::new(principal, "return", id, "settle")?;
            Ok(call)
        }
    }
}
