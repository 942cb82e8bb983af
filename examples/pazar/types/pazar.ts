// Made by `hos law types --ts` from the law `pazar`; do not edit. `Engine.open<Pazar>(..)` knows its names.

import type { Ext, Uid } from "hos";

/** Values that JavaScript has types of its own for, beside `Ext`. */
type Long = number | bigint;
type Datetime = Ext | Date;

/** The law's names. */
export type Pazar = {
  action:
    | "consent.expire"
    | "consent.give"
    | "consent.renew"
    | "consent.view"
    | "consent.withdraw"
    | "directory.account"
    | "directory.entity"
    | "directory.grant"
    | "directory.member"
    | "directory.remove"
    | "directory.revoke"
    | "directory.unmember"
    | "evidence.erase"
    | "evidence.hold"
    | "evidence.release"
    | "law.activate"
    | "order.adopt"
    | "order.cancel"
    | "order.change"
    | "order.close"
    | "order.deliver"
    | "order.draft"
    | "order.expire"
    | "order.force_refund"
    | "order.pay"
    | "order.place"
    | "order.refund"
    | "order.refund_failed"
    | "order.refunded"
    | "order.reopen"
    | "order.ship"
    | "order.view"
    | "outbox.poll"
    | "payment.adopt"
    | "payment.cancel"
    | "payment.capture"
    | "payment.confirm"
    | "payment.expire"
    | "payment.fail"
    | "payment.request"
    | "payment.view"
    | "product.edit"
    | "product.view"
    | "record.note"
    | "reservation.adopt"
    | "reservation.cancel"
    | "reservation.check_in"
    | "reservation.check_out"
    | "reservation.confirm"
    | "reservation.modify"
    | "reservation.no_show"
    | "reservation.reassign"
    | "reservation.request"
    | "reservation.view"
    | "reservation.waitlist"
    | "return.accept"
    | "return.receive"
    | "return.reject"
    | "return.settle"
    | "return.view"
    | "shop.edit"
    | "shop.report"
    | "shop.view"
    | "tenant.open";
  contract: {
    consent: {
      state:
        | "given"
        | "withdrawn"
        | "expired";
      facts: { ends: Datetime; person: Uid; purpose: string; wording: string };
      begin: {
        give: { [name: string]: never };};
      event: {
        expire: { [name: string]: never };
        renew: { ends: Datetime; wording: string };
        withdraw: { [name: string]: never };};
    };
    order: {
      state:
        | "cart"
        | "new"
        | "paid"
        | "refunding"
        | "shipped"
        | "fulfilled"
        | "refunded"
        | "cancelled"
        | "expired";
      facts: { buyer: Uid; lines?: readonly (string)[]; shop: Uid; total: Long };
      begin: {
        draft: { [name: string]: never };
        place: { [name: string]: never };};
      event: {
        cancel: { [name: string]: never };
        change: { total: Long };
        close: { [name: string]: never };
        deliver: { [name: string]: never };
        expire: { [name: string]: never };
        /** An override: it needs a `reason`. */
        force_refund: { [name: string]: never };
        pay: { amount: Long; psp_ref: string };
        refund: { amount: Long; reason: string };
        refund_failed: { reason: string };
        refunded: { psp_ref: string };
        /** An override: it needs a `reason`. */
        reopen: { [name: string]: never };
        ship: { all_in_stock: boolean; tracking: string };
        submit: { [name: string]: never };};
    };
    payment: {
      state:
        | "pending"
        | "captured"
        | "failed"
        | "cancelled"
        | "expired";
      facts: { amount: Long; order: string; payer: Uid; provider: Uid };
      begin: {
        request: { [name: string]: never };};
      event: {
        cancel: { [name: string]: never };
        capture: { amount: Long; psp_ref: string };
        confirm: { amount: Long; statement: string };
        expire: { [name: string]: never };
        fail: { reason: string };};
    };
    reservation: {
      state:
        | "requested"
        | "waitlisted"
        | "confirmed"
        | "checked_in"
        | "checked_out"
        | "cancelled"
        | "no_show";
      facts: { arrival?: Datetime; booker: Uid; deposit: string; guests: Long; nights: Long; rate: Long; room: string };
      begin: {
        request: { [name: string]: never };};
      event: {
        cancel: { [name: string]: never };
        check_in: { [name: string]: never };
        check_out: { [name: string]: never };
        confirm: { [name: string]: never };
        modify: { [name: string]: never };
        no_show: { [name: string]: never };
        reassign: { room: string };
        waitlist: { [name: string]: never };};
    };
    return: {
      state:
        | "accepted"
        | "received"
        | "settled"
        | "rejected";
      facts: { customer: Uid; price: string; quantity: Long; sku: string };
      begin: {
        accept: { balance: Long };};
      event: {
        receive: { [name: string]: never };
        reject: { reason: string };
        settle: { [name: string]: never };};
    };
  };
};

export type { Datetime, Ext, Long, Uid };
