/**
 * What a verdict says to people, in Turkish.
 * @module
 */

/** @type {import('./index.js').Words} */
export const TR = {
  levels: { refused: 'reddedildi', intact: 'sağlam', anchored: 'tanıklı' },
  meanings: {
    refused: 'Tutmayan bir şey var. Bu dosyadaki hiçbir şeye inanılamaz.',
    intact: 'Her şey, güven dosyanızda adı geçen bir günlük anahtarı altında tutuyor. Anahtarın sahibi yine de iki ayrı geçmiş yazmış olabilir.',
    anchored: 'Her şey tutuyor ve günlükten başkası da buna kefil: güven dosyanızdaki tanıklar ya da sakladığınız bir denetim noktası.',
  },
  complete: 'tam',
  gapless: 'boşluksuz',
  completeAs: { instance: 'bu örneğin bütün kayıtları, {origin} günlüğünün {as_of}. girdisi itibarıyla', thread: 'bu dizinin bütün kayıtları, {origin} günlüğünün {as_of}. girdisi itibarıyla' },
  gaplessTo: '0 ile {gapless} arası kayıtlar; devamı olup olmadığı gösterilmemiş',
  records: { one: '{count} kayıt', many: '{count} kayıt' },
  at: 'yer:',
  parts: 'parçalar',
  partsAre: '{opened} açık, {hidden} gizli, {erased} silinmiş',
  witnesses: 'tanıklar',
  nobody: 'yok',
  notice: 'dikkat',
  notices: {
    hidden_parts: 'Bu dosyayı hazırlayan, kayıtların bazı parçalarını gizlemiş. Ne dedikleri bilinmiyor; ama değiştirilmeleri de mümkün değil.',
    erased_parts: 'Bazı parçaların silindiği söyleniyor: anahtarları artık yok. Bu, deposu olanın sözüdür.',
    claimed_time: 'Zamanlar deponun beyanıdır; sizin saatinizin gördüğü değil.',
    weak_durability: 'Bir kaydın, yanıt verilmeden önce diske güvenle yazıldığı bilinmiyor.',
    no_map: 'Uçlar haritası yok: daha sonraki kayıtlar var olup dışarıda bırakılmış olabilir.',
    later_entries: 'Günlük haritadan sonra da sürmüş: sonradan gelenler kapsam dışıdır.',
    no_witness: 'Güven dosyanızdaki hiçbir tanık denetim noktasına kefil değil.',
    directory_withheld: 'Bazı kişi ya da rollerin kayıtların dediği gibi olduğu görülemedi: bunun için gereken gösterilmemiş.',
    attested: 'Bir kayıt dışarıdan devralınmış; kanuna göre yargılanmamış.',
  },
  layers: {
    policy: 'güven dosyanız geçerli değil',
    bundle: 'dosya bir delil dosyası değil ya da gerektiği gibi yazılmamış',
    trust: 'güven dosyanız bu günlüğe kefil değil',
    checkpoint: 'günlüğün denetim noktası tutmuyor',
    log: 'denetim noktası başka bir günlüğün',
    key: 'anahtar, günlüğün bu boyu için listelenmemiş',
    entry: 'günlüğün bir girdisi bozuk',
    header: 'bir kayıt bozuk',
    foreign: 'bir kayıt başka bir deponun ya da kiracının',
    disputed: 'bir kaydı deponun kendisi tartışmalı sayıyor',
    inclusion: 'bir kayıt imzalanan günlükte yok',
    part: 'bir parça, kaydının bağlandığı parça değil',
    thread: 'kayıtlar birbirini izlemiyor',
    heads: 'haritaya göre dizi başka yerde bitiyor',
    law: 'bir kaydın adını verdiği kanun eksik ya da dosyaları başka',
    activation: 'bir kayıt, yürürlükteki kanuna göre yargılanmamış',
    directory: 'bir kişi ya da rol, kaydın dediği gibi değilmiş',
  },
  usage: 'kullanım: node verifier/cli.mjs DOSYA --trust GÜVEN [--against NOT]... [--json] [--language en|tr]',
  wrongNote: 'denetim noktası değil',
  unreadable: 'okunamıyor',
  fault: 'doğrulanmadı: bu programın bir kusuru',
};
