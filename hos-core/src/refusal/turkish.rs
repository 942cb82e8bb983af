//! The meaning of each code in Turkish.

use super::Code;

/// What a code means and what to do, as [`Code::meaning`] says it in English.
pub(super) fn meaning(code: Code) -> &'static str {
    match code {
        Code::Internal => "Motor kendi içinde hata verdi; bu çağrıdan hiçbir şey saklanmadı. İletisiyle birlikte bildirin.",
        Code::StoreUnavailable => {
            "Depo ya da adı verilen bir dosya açılamıyor, okunamıyor ya da yazılamıyor; bu çağrıdan hiçbir şey saklanmadı. İletiyi okuyun, giderin, yeniden deneyin."
        }
        Code::StoreIntegrity => {
            "Depo, delillerinin dediği gibi değil ya da dosyasına başkası dokunmuş; yazma durduruldu. `hos verify` çalıştırın."
        }
        Code::StoreFull => "Disk dolu; bu çağrıdan hiçbir şey saklanmadı. Yer açıp yeniden deneyin.",
        Code::StoreReadOnly => "Bu kullanıcı deponun dosyasına ya da dizinine yazamıyor.",
        Code::StoreBusy => "Başka bir süreç depoyu çok uzun kilitli tuttu; hiçbir şey saklanmadı. Yeniden deneyin.",
        Code::StoreVersion => "Depoyu H-OS’un başka bir sürümü yazmış.",
        Code::OutcomeUnknown => {
            "Yazma, sonucu bilinmeyecek biçimde yarıda kaldı. Aynı tek-sefer anahtarıyla yeniden deneyin: sonuç öyle anlaşılır."
        }
        Code::KeyInvalid => "Anahtar dosyası yok, herkese açık, kısa ya da deponun adını verdiğinden başka bir anahtar tutuyor.",
        Code::Retry => "Veritabanı yeniden denenmesini istedi; hiçbir şey saklanmadı.",
        Code::SignerFailed => {
            "İmzalayana ulaşılamıyor, çok gecikti ya da imzalamadı; saklanan saklı kaldı ama denetim noktası yok. Yanıt verince `hos work` çalıştırın."
        }
        Code::Quarantined => {
            "Günlük, deponun dışında tutulan işaretten kısa ya da başka; ne yitirildiğini `hos epoch new` söyleyene dek yalnız okunur."
        }
        Code::NoTransaction => {
            "Bağlantıda açık bir işlem (transaction) yok. İşlemi başlatın, kendi yazdıklarınızı yazın, H-OS’u en son çağırın, sonra onaylayın ya da geri alın."
        }
        Code::EngineClosed => "Motor kapatılmış, hiç açılmamış ya da çatallanmadan önce başka bir süreçte açılmış. Yeniden açın.",
        Code::LawInvalid => "Kanunda kusur var, yüklenmiyor. `hos check` çalıştırın.",
        Code::LawNotActive => "Verilen kanun bu depoda yürürlükte olan değil. Yürürlüğe koyun ya da yürürlükteki ile açın.",
        Code::LawInUse => {
            "Yaşayan işlerin ya da kanunu yürürlüğe koyanların gerek duyduğu bir şey yeni kanunda yok; henüz yürürlüğe konamaz."
        }
        Code::ModeOff => "Kanun burada kapalı; dünyanın kendi sonucu verilmeden yapılan çağrı yanıtlanamaz.",
        Code::LegacyMissing => "Kanun burada gölgede; çağrı dünyanın kendi sonucunu da taşımalı.",
        Code::CallMalformed => "Komut ya da çağrı, verildiği gibi yapılamaz.",
        Code::CallTooLarge => "Çağrı izin verilenden büyük ya da derin.",
        Code::IdInvalid => "Bir kimlik boş, çok uzun ya da türünün izin vermediği bir şey içeriyor.",
        Code::ValueInvalid => {
            "Bir değer kanunun bildiği değerlerden değil: null, ondalıklı ya da 64 bite sığmayan bir tam sayı gibi."
        }
        Code::TenantUnknown => "Bu depoda böyle bir kiracı yok.",
        Code::ClockImplausible => {
            "Saat izin verilenden fazla geri gitti ya da ileri atladı. Saati düzeltin; doğru olan bir atlamayı bir kez `--clock-confirmed` (`Settings::clock_confirmed`) onaylar."
        }
        Code::OnceConflict => "Bu tek-sefer anahtarı başka bir çağrı için kullanılmıştı.",
        Code::ContractUnknown => "Kanunda böyle bir sözleşme yok.",
        Code::InstanceUnknown => "Böyle bir iş yok.",
        Code::InstanceExists => "Bu kimlikle bir iş zaten var.",
        Code::InstanceErased => "Bu iş silindi.",
        Code::SubjectErased => "Hakkında yazılacak kişi silinmişti.",
        Code::EventUnknown => "Sözleşmede böyle bir olay, doğum ya da geçersiz kılma yok.",
        Code::SubjectInUse => {
            "Bu kişiden tutulana yaşayan işlerin hâlâ gereksinimi var ya da başkaları onun içinde; adları verildi."
        }
        Code::SubjectHeld => "Yasal bir alıkoyma bu kişiden tutulanı koruyor; silinmeden önce kaldırılmalı.",
        Code::SubjectNotHeld => "Bu kişi üzerinde alıkoyma yok.",
        Code::ActionUnknown => "Kanunun şemasında böyle bir eylem yok.",
        Code::PrincipalTypeUnknown => "Soranın türü, eylemin uygulandığı türlerden değil.",
        Code::PrincipalUnknown => "Soran dizinde yok: onu kimse tanıtmamış.",
        Code::ResourceTypeUnknown => "Kaynağın türü, eylemin uygulandığı türlerden değil.",
        Code::EntityMissing => "Çağrı, ne dizinin ne çağrının verdiği bir varlığın adını veriyor.",
        Code::AttributeMissing => "Gerekli bir nitelik, olgu ya da bağımsız değişken eksik.",
        Code::AttributeUnknown => "Bir nitelik, olgu ya da bağımsız değişken bildirilmemiş.",
        Code::AttributeType => "Bir nitelik, olgu ya da bağımsız değişkenin türü yanlış.",
        Code::DirectoryStale => "Dizinin yeterince taze olduğu doğrulanamadı.",
        Code::HierarchyInvalid => "Varlıkların sıradüzeni döngülü, çok derin ya da çok büyük.",
        Code::Forbidden => "Yasaklayan bir kural geçerli.",
        Code::ForbidError => "Geçerli olan yasaklayıcı bir kural değerlendirilemedi; kuşku ret demektir.",
        Code::NotPermitted => "Buna izin veren bir kural yok.",
        Code::Terminal => "İş son durumunda.",
        Code::WrongState => "Olay, işin şimdiki durumunda hukuka uygun değil.",
        Code::GuardError => "Bir koşul değerlendirilemedi; kuşku ret demektir.",
        Code::ReasonMissing => "Geçersiz kılma için gerekçe gerekir.",
        Code::DeadlineLimit => "Süresi dolan, bir çağrının işleyebileceğinden çok; `hos tick` çalıştırın.",
        Code::DirectoryConflict => "Dizinde bu değişikliğin gerektirdiği zaten var ya da yok; ya da orada zaten bir depo var.",
        Code::TemplateUnknown => "Kanunda böyle bir kural şablonu yok ya da yuvaları başka.",
        Code::LeaseLost => "İletinin kirası artık sizin değil ya da ileti gitti.",
    }
}
