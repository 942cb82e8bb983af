//! What is shown, in order.

use super::Act::{Change, Flip, Guard, Hos, Line, Sql};
use super::Step;

/// The whole story.
pub(super) const ALL: &[Step] = &[
    Step {
        english: "A shop has run for years. Its law is written nowhere but in its log: what may follow what, and what happened all the same.",
        turkish: "Bir dükkân yıllardır çalışıyor. Kanunu yalnız günlüğünde yazılı: neyin ardından ne gelebilir, ve yine de neler olmuş.",
        acts: &[Hos(&["infer", "log.csv", "--contract", "order"], 0)],
    },
    Step {
        english: "The law is written down, and a store is founded in the shop's own database, beside the shop's own tables.",
        turkish: "Kanun yazılır; depo, dükkânın kendi veritabanında, kendi tablolarının yanında kurulur.",
        acts: &[
            Hos(&["check", "law"], 0),
            Hos(
                &[
                    "init", "--law", "law", "--key-file", "seal.key", "--founder", "Account::root", "--role", "Role::operator", "--attr",
                    "active=true",
                ],
                0,
            ),
            Hos(&["directory", "put", "Account::ayse", "--attr", "active=true", "--tenant", "universe"], 0),
            Hos(&["directory", "put", "Shop::s1", "--attr", "active=true"], 0),
            Hos(&["directory", "put", "Role::seller"], 0),
            Hos(&["directory", "put", "Account::zeynep", "--attr", "active=true", "--tenant", "universe"], 0),
            Hos(&["directory", "join", "Account::zeynep", "Role::seller"], 0),
            Hos(&["directory", "join", "Account::zeynep", "Shop::s1"], 0),
        ],
    },
    Step {
        english: "Ayşe orders. Her payment's webhook comes twice: one move, one receipt.",
        turkish: "Ayşe sipariş verir. Ödemesinin bildirimi iki kez gelir: bir hareket, bir makbuz.",
        acts: &[
            Hos(&["begin", "order", "o-1", "place", "--as", "Account::ayse", "--fact", "buyer=ayse", "--fact", "shop=s1", "--fact", "total=4200"], 0),
            Sql("INSERT INTO orders VALUES ('o-1', 'ayse', 4200, 'new')", true),
            Hos(&["transition", "order", "o-1", "pay", "--as", "Account::ayse", "--arg", "amount=4200", "--arg", "psp_ref=p-9", "--once", "evt-9"], 0),
            Hos(&["transition", "order", "o-1", "pay", "--as", "Account::ayse", "--arg", "amount=4200", "--arg", "psp_ref=p-9", "--once", "evt-9"], 0),
            Sql("UPDATE orders SET status = 'paid' WHERE id = 'o-1'", true),
        ],
    },
    Step {
        english: "Another order is cancelled, and its seller ships it: refused, and here is the line of the law. What can be done, and why the rest cannot.",
        turkish: "Başka bir sipariş iptal edilir, satıcısı onu yine de kargolar: reddedilir; kanunun satırı da budur. Ne yapılabilir, kalanı niçin yapılamaz.",
        acts: &[
            Hos(&["begin", "order", "o-2", "place", "--as", "Account::ayse", "--fact", "buyer=ayse", "--fact", "shop=s1", "--fact", "total=900"], 0),
            Hos(&["transition", "order", "o-2", "cancel", "--as", "Account::ayse"], 0),
            Sql("INSERT INTO orders VALUES ('o-2', 'ayse', 900, 'cancelled')", true),
            Hos(&["transition", "order", "o-2", "ship", "--as", "Account::zeynep", "--arg", "all_in_stock=true", "--arg", "tracking=x"], 1),
            Line("law/contracts/order.toml", "terminal"),
            Hos(&["available", "order", "o-2", "--as", "Account::zeynep"], 0),
        ],
    },
    Step {
        english: "Somebody with the database's password changes the row by hand. With the guard's triggers the database itself refuses.",
        turkish: "Veritabanının parolasını bilen biri satırı elle değiştirir. Bekçi tetikleyicileri varken veritabanının kendisi reddeder.",
        acts: &[
            Guard(&["guard", "world.toml", "--dialect", "sqlite"]),
            Sql("UPDATE orders SET status = 'shipped' WHERE id = 'o-2'", false),
        ],
    },
    Step {
        english: "They drop the triggers and do it. The row is changed, and drift names it.",
        turkish: "Tetikleyicileri silip yine yapar. Satır değişir, sapma raporu adını söyler.",
        acts: &[
            Guard(&["guard", "world.toml", "--dialect", "sqlite", "--remove"]),
            Sql("UPDATE orders SET status = 'shipped' WHERE id = 'o-2'", true),
            Hos(&["drift", "world.toml"], 3),
        ],
    },
    Step {
        english: "The first order's whole story in one file, which a stranger verifies with nothing else. One bit is turned over.",
        turkish: "İlk siparişin bütün öyküsü tek dosyada; bir yabancı başka hiçbir şey olmadan doğrular. Sonra bir bit değiştirilir.",
        acts: &[
            Hos(&["export", "--instance", "order/o-1", "-o", "o-1.hosb", "--trust-out", "trust", "--key-file", "seal.key"], 0),
            Hos(&["verify", "o-1.hosb", "--trust", "trust"], 0),
            Flip("o-1.hosb"),
            Hos(&["verify", "o-1.hosb", "--trust", "trust"], 3),
        ],
    },
    Step {
        english: "Refunds above a limit need a manager, and the limit is to be tighter. Before it is put in force, it is tried on what was decided already.",
        turkish: "Sınırın üstündeki iadeler yönetici ister; sınır daraltılacak. Yürürlüğe girmeden önce verilmiş kararlar üzerinde denenir.",
        acts: &[
            Hos(&["transition", "order", "o-1", "refund", "--as", "Account::zeynep", "--arg", "amount=4200", "--arg", "reason=broken"], 0),
            Sql("UPDATE orders SET status = 'refunding' WHERE id = 'o-1'", true),
            Line("law/policies/orders.cedar", "context.amount >"),
            Change { file: "stricter/policies/orders.cedar", from: "context.amount > 100000", to: "context.amount > 1000" },
            Hos(&["law", "diff", "law", "stricter"], 3),
            Hos(&["law", "backtest", "stricter"], 3),
        ],
    },
    Step {
        english: "And all of it verifies, to the last record.",
        turkish: "Ve hepsi, son kaydına kadar doğrulanır.",
        acts: &[Hos(&["work", "--key-file", "seal.key"], 0), Hos(&["verify", "--replay"], 0)],
    },
];
