//! What a verifier finds, in Turkish, by the layer of the evidence. Codes and names stay as they are; a program reads those.

/// What a verifier's code says, by the layer of the evidence that did not hold; of a trust file, code by code.
pub(crate) fn evidence(code: &str) -> &'static str {
    let layer = code.split_once('.').map_or(code, |(layer, _)| layer);
    match (code, layer) {
        ("policy.too_large", _) => "güven dosyası izin verilenden büyük ya da bir türden çok satırı var",
        ("policy.syntax", _) => "bir satır, sözcük, sayı ya da bayt güven dosyasının biçiminde değil",
        ("policy.key", _) => "bir anahtar bozuk ya da başka türden",
        ("policy.duplicate", _) => "bir anahtar, ad ya da üye iki kez geçiyor",
        ("policy.unknown_name", _) => "bir üyenin ya da yeter sayının adı yukarıda tanımlanmamış",
        ("policy.no_quorum", _) => "yeter sayı satırı yok ya da iki tane",
        ("policy.no_log", _) => "hiçbir günlüğün adı verilmemiş",
        ("trust.unknown_log", _) => "güven dosyanız bu günlüğün adını vermiyor",
        ("trust.quorum", _) => "denetim noktasına kefil olan tanıklar, güven dosyanızın istediğinden az",
        ("checkpoint.unsigned", _) => "denetim noktasında bu anahtarın imzası yok",
        ("trust.fork", _) => "günlük aynı boy için iki kök imzalamış: çatallanmış",
        ("key.missing", _) => {
            "güven dosyanız bu günlük için birkaç anahtar veriyor, hangisinin geçerli olduğunu söyleyen kayıtlar gösterilmemiş"
        }
        (_, "policy") => "güven dosyanız geçerli değil",
        (_, "bundle") => "dosya bir delil dosyası değil ya da gerektiği gibi yazılmamış",
        (_, "checkpoint") => "günlüğün denetim noktası tutmuyor",
        (_, "log") => "denetim noktası başka bir günlüğün",
        (_, "key") => "denetim noktasını imzalayan anahtar günlüğün bu boyu için geçerli değil",
        (_, "entry") => "günlüğün bir girdisi bozuk",
        (_, "header") => "bir kayıt bozuk",
        (_, "foreign") => "bir kayıt başka bir deponun, kiracının ya da çağın",
        (_, "disputed") => "bir kaydı deponun kendisi tartışmalı sayıyor",
        (_, "inclusion") => "bir kayıt imzalanan günlükte yok",
        (_, "part") => "bir parça, kaydının bağlandığı parça değil",
        (_, "thread") => "kayıtlar birbirini izlemiyor",
        (_, "heads") => "haritaya göre dizi başka yerde bitiyor",
        (_, "law") => "bir kaydın adını verdiği kanun eksik ya da dosyaları başka",
        (_, "activation") => "bir kayıt, yürürlükteki kanuna göre yargılanmamış",
        (_, "directory") => "bir kişi ya da rol, kaydın dediği gibi değilmiş",
        (_, "tiles") => "döşemeler günlüğün girdilerinden yapılmamış",
        (_, "proof") => "dosya bir kaydın kanıtı değil",
        (_, "fork") => "bildirim bir çatallanmayı kanıtlamıyor",
        _ => "delil tutmuyor",
    }
}
