"""Texts in many languages and scripts for tests of the tokenizer and the engine: sentences
written for this, and from them others, the same in each run."""
import random
import unicodedata

SENTENCES = """
The parser loses the last line of a file that doesn't end in a newline.
I've told you twice: use tabs, not spaces; and run "make check" before you push!
ReactDOM.render(<App state={s}/>, document.getElementById("root")); // O(n^2)?
git log --oneline --since='2 weeks ago' | grep -v '^#' > /tmp/x.txt && echo $?
static inline uint32_t hash_u64(uint64_t x) { return (x * 0x9e3779b97f4a7c15ULL) >> 32; }
Der Prüfer verliert die letzte Zeile; größere Änderungen später. Straße, STRASSE, ẞ.
L'été dernier, nous avons corrigé l'erreur à l'œuvre naïve… « voilà » !
El niño pidió más café; ¿por qué falló la compilación? ¡Qué lástima!
O coração não aceita ficções: avô, avó, ação, órgão, pingüim.
Perché l'università è così lontana? Più tardi arriverà la città.
Het geüpdatete programma crasht zodra je één bestand opent; coöperatie.
Zażółć gęślą jaźń, a potem uruchom testy jednostkowe w łódzkim biurze.
Příliš žluťoučký kůň úpěl ďábelské ódy; řeřicha, ťukání, úřad.
Kŕdeľ šťastných ďatľov učí pri ústí Váhu mĺkveho koňa obhrýzať kôru.
Árvíztűrő tükörfúrógép; a fordító hibát jelzett az őszi kiadásban.
Şişli'de İstanbul'un ığdır ağacı gölgesinde ÇĞİÖŞÜ çğıöşü yazdı.
Õhtul läks süsteem katki, aga öösel sai see jälle korda.
Eftirlitið fann ófært þjófaþý; ægilegt ðæmi, ÞÓR.
Flygande bäckasiner söka hwila på mjuka tuvor; åska, ÅNGSTRÖM, K.
Quizdeltagerne spiste jordbær med fløde, mens cirkusklovnen Walther spillede på xylofon.
Tiếng Việt có nhiều dấu: ấ ầ ẩ ẫ ậ, ướt, nghiêng, Đặng Thị Ngọc.
Съешь же ещё этих мягких французских булок, да выпей чаю; ёлка, Йод.
Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п'яне знаємо.
Ђачић љуби џбун; ово је проба за ћирилицу, Ѓорѓи и Ќирил.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία· ΆΈΉΊΌΎΏ, ς σ Σ, ᾳ ῆ ῷ.
Բել դղյակի ձախ ժամն օֆ ազգությանը ցպահանջ չճշտած վնաս էր եւ փառք։
ქართული ენა: მთავარი შეცდომა გამოსწორდა; ᲐᲑᲒ.
דג סקרן שט בים מאוכזב ולפתע מצא חברה; בְּרֵאשִׁית בָּרָא.
نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر؛ اَلْعَرَبِيَّةُ ١٢٣.
برنامه‌نویس می‌گوید: خطا برطرف شد، ولی آزمون‌ها کند هستند؟ ۴۵۶
یہ ایک آزمائشی جملہ ہے، جسے اردو میں لکھا گیا۔
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश; क़ख़ग़, १२३।
আমার সোনার বাংলা, আমি তোমায় ভালোবাসি; ড় ঢ় য়।
யாமறிந்த மொழிகளிலே தமிழ்மொழி போல் இனிதாவது எங்கும் காணோம்.
తెలుగు దేశ భాషలందు లెస్స; కంపైలర్ దోషం సరిచేయబడింది.
ಕನ್ನಡ ನಾಡಿನ ಕವಿಗಳು; ಪರೀಕ್ಷೆ ಯಶಸ್ವಿಯಾಗಿದೆ.
മലയാളം എഴുതുന്നത് എളുപ്പമാണ്; ൺ ൻ ർ ൽ ൾ.
ਪੰਜਾਬੀ ਬੋਲੀ ਬਹੁਤ ਮਿੱਠੀ ਹੈ; ਸ਼ਖ਼ਗ਼।
ગુજરાતી લિપિમાં લખેલું વાક્ય; પરીક્ષણ પૂરું થયું.
සිංහල අකුරු ලස්සනයි; දෝෂය නිවැරදි කළා.
เป็นมนุษย์สุดประเสริฐเลิศคุณค่า กว่าบรรดาฝูงสัตว์เดรัจฉาน ๑๒๓
ພາສາລາວງາມ; ຂໍ້ຜິດພາດໄດ້ຖືກແກ້ໄຂແລ້ວ.
မြန်မာဘာသာစကား လှပသည်။ စမ်းသပ်မှု အောင်မြင်သည်။
ភាសាខ្មែរស្អាតណាស់។ កំហុសត្រូវបានកែ។
བོད་ཡིག་འདི་ནི་ཚོད་ལྟ་ཡིན།
የአማርኛ ጽሑፍ፤ ስህተቱ ተስተካክሏል።
いろはにほへと ちりぬるを。パーサーは最後の行を失う。ガギグゲゴ ｶﾞｷﾞｸﾞ ｱｲｳ
人人生而自由，在尊严和权利上一律平等。編譯器發現了一個錯誤；𠀀𠮷野家。
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다. 한글 ᄒᆞᆫ글
Монгол хэл, ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ; алдааг зассан.
Ua ʻōlelo ka haumāna; he keiki o ka ʻāina, kūʻokoʻa.
Ìwé yìí dára púpọ̀; ẹ jọ̀ọ́, ẹ ṣe àtúnṣe sí àṣìṣe náà.
😀 👨‍👩‍👧‍👦 🇩🇪 🏳️‍🌈 ❤️ 1️⃣ ✅ — emoji, ﬁ ﬂ ﬃ ligatures, ½ ¾ № ™ ℃ Å Ⅷ ⓐ ﷺ
ℋ𝒶𝓂𝒾𝓁𝓉ℴ𝓃 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚𝟛 ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋ ≤ ∞ ≠ √2 · π²
Zero​width‌joiners‍and­soft hyphens﻿, no-break spaces, ideographic　space
""".strip().split("\n")
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]", "[mask]", "##", "##ing", "[", "]"]
BLANKS = [" ", "  ", "\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2028", ""]
SCRIPTS = [(0x20, 0x7e), (0xa0, 0x24f), (0x300, 0x36f), (0x370, 0x3ff), (0x400, 0x52f),
           (0x590, 0x5ff), (0x600, 0x6ff), (0x900, 0x97f), (0xe00, 0xe7f), (0x1100, 0x11ff),
           (0x1e00, 0x1eff), (0x2000, 0x206f), (0x3040, 0x30ff), (0x4e00, 0x9fff),
           (0xac00, 0xd7a3), (0xff00, 0xffef), (0x1f300, 0x1faff), (0x20000, 0x2a6df)]


def change(rng, text):
    """Another form of a text: case, composition, a cut, a piece more."""
    way = rng.randrange(8)
    if way < 3:
        return unicodedata.normalize(("NFC", "NFD", "NFKC")[way], text)
    if way == 3:
        return text.upper()
    if way == 4:
        return text.swapcase()
    if way == 5:
        at = rng.randrange(len(text))
        return text[at:] + rng.choice(BLANKS) + text[:at]
    if way == 6:
        return rng.choice(BLANKS).join(text.split(" "))
    at = rng.randrange(len(text))
    return text[:at] + rng.choice(SPECIALS) + text[at:]


def sentence(rng):
    text = rng.choice(SENTENCES)
    for _ in range(rng.randrange(3)):
        text = change(rng, text)
    if rng.random() < 0.2:
        text += rng.choice(BLANKS) + rng.choice(SENTENCES)
    if rng.random() < 0.3:
        at = rng.randrange(len(text))
        text = text[at:at + rng.randrange(1, 60)]
    return text


def soup(rng):
    """Characters of all scripts, anyhow."""
    parts = []
    for _ in range(rng.randrange(60)):
        kind = rng.random()
        low, high = rng.choice(SCRIPTS)
        parts.append(chr(rng.randint(low, high)) if kind < 0.8 else
                     rng.choice(BLANKS + SPECIALS + ["a" * rng.randint(95, 105)]))
    return "".join(parts)


def some(n, seed=8):
    rng = random.Random(seed)
    texts = SENTENCES + ["", " ", "a", "x" * 100, "x" * 101, "é" * 100, "中" * 300, "a " * 600]
    while len(texts) < n:
        texts.append(sentence(rng) if rng.random() < 0.7 else soup(rng))
    return [text.replace("\0", "") for text in texts[:n]]


def mostly_short(n, seed):
    """As some(), but only each twentieth is longer than 40 characters."""
    return [text if i % 20 == 0 else text[:40] for i, text in enumerate(some(n, seed))]


def every_character():
    """Each code point between letters and alone, some in a text."""
    points = [c for c in range(1, 0x110000) if not 0xd800 <= c < 0xe000]
    for at in range(0, len(points), 16):
        yield " ".join(f"a{chr(c)}b {chr(c)}" for c in points[at:at + 16])
