//! Names in three scripts, each with the letters that an address in ASCII is made of. Chosen from what is common;
//! put together by lot, so that no customer is anybody.

use super::draw::{chance, one_of};
use entity::enums::Gender;
use rand::rngs::StdRng;

/// In which script somebody's name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Hanzi.
    Chinese,
    /// Hangul.
    Korean,
    /// Latin letters, accents included.
    Latin,
}

impl Script {
    /// The language that people of this name are addressed in.
    pub(super) fn language(self) -> &'static str {
        match self {
            Self::Chinese => "zh",
            Self::Korean => "ko",
            Self::Latin => "en",
        }
    }
}

/// Somebody's name.
#[derive(Clone, Debug)]
pub(super) struct Name {
    /// As it is written.
    pub full: String,
    /// In lower case ASCII letters and dots.
    pub latin: String,
    /// How to address them.
    pub salutation: String,
}

type Pair = (&'static str, &'static str);

const CHINESE_FAMILY: [Pair; 44] = [
    ("王", "wang"),
    ("李", "li"),
    ("张", "zhang"),
    ("刘", "liu"),
    ("陈", "chen"),
    ("杨", "yang"),
    ("黄", "huang"),
    ("赵", "zhao"),
    ("吴", "wu"),
    ("周", "zhou"),
    ("徐", "xu"),
    ("孙", "sun"),
    ("马", "ma"),
    ("朱", "zhu"),
    ("胡", "hu"),
    ("郭", "guo"),
    ("何", "he"),
    ("林", "lin"),
    ("高", "gao"),
    ("罗", "luo"),
    ("郑", "zheng"),
    ("梁", "liang"),
    ("谢", "xie"),
    ("宋", "song"),
    ("唐", "tang"),
    ("许", "xu"),
    ("邓", "deng"),
    ("冯", "feng"),
    ("韩", "han"),
    ("曹", "cao"),
    ("曾", "zeng"),
    ("彭", "peng"),
    ("萧", "xiao"),
    ("蔡", "cai"),
    ("潘", "pan"),
    ("田", "tian"),
    ("董", "dong"),
    ("袁", "yuan"),
    ("余", "yu"),
    ("叶", "ye"),
    ("蒋", "jiang"),
    ("沈", "shen"),
    ("欧阳", "ouyang"),
    ("司马", "sima"),
];

const CHINESE_FEMALE: [Pair; 32] = [
    ("芳", "fang"),
    ("娜", "na"),
    ("秀英", "xiuying"),
    ("敏", "min"),
    ("静", "jing"),
    ("丽", "li"),
    ("艳", "yan"),
    ("娟", "juan"),
    ("霞", "xia"),
    ("秀兰", "xiulan"),
    ("桂英", "guiying"),
    ("玉兰", "yulan"),
    ("雪", "xue"),
    ("婷", "ting"),
    ("欣怡", "xinyi"),
    ("梓涵", "zihan"),
    ("诗涵", "shihan"),
    ("雨桐", "yutong"),
    ("思琪", "siqi"),
    ("佳怡", "jiayi"),
    ("美玲", "meiling"),
    ("晓燕", "xiaoyan"),
    ("文慧", "wenhui"),
    ("若曦", "ruoxi"),
    ("琳", "lin"),
    ("慧", "hui"),
    ("春梅", "chunmei"),
    ("海燕", "haiyan"),
    ("一诺", "yinuo"),
    ("依依", "yiyi"),
    ("月华", "yuehua"),
    ("紫萱", "zixuan"),
];

const CHINESE_MALE: [Pair; 30] = [
    ("伟", "wei"),
    ("强", "qiang"),
    ("磊", "lei"),
    ("军", "jun"),
    ("洋", "yang"),
    ("勇", "yong"),
    ("杰", "jie"),
    ("涛", "tao"),
    ("明", "ming"),
    ("超", "chao"),
    ("刚", "gang"),
    ("平", "ping"),
    ("建国", "jianguo"),
    ("志强", "zhiqiang"),
    ("浩然", "haoran"),
    ("子轩", "zixuan"),
    ("宇航", "yuhang"),
    ("俊杰", "junjie"),
    ("建华", "jianhua"),
    ("国强", "guoqiang"),
    ("天宇", "tianyu"),
    ("文博", "wenbo"),
    ("嘉豪", "jiahao"),
    ("思远", "siyuan"),
    ("鹏", "peng"),
    ("晓东", "xiaodong"),
    ("振华", "zhenhua"),
    ("一鸣", "yiming"),
    ("凯", "kai"),
    ("海波", "haibo"),
];

const KOREAN_FAMILY: [Pair; 26] = [
    ("김", "kim"),
    ("이", "lee"),
    ("박", "park"),
    ("최", "choi"),
    ("정", "jung"),
    ("강", "kang"),
    ("조", "cho"),
    ("윤", "yoon"),
    ("장", "jang"),
    ("임", "lim"),
    ("한", "han"),
    ("오", "oh"),
    ("서", "seo"),
    ("신", "shin"),
    ("권", "kwon"),
    ("황", "hwang"),
    ("안", "ahn"),
    ("송", "song"),
    ("전", "jeon"),
    ("홍", "hong"),
    ("유", "yoo"),
    ("고", "ko"),
    ("문", "moon"),
    ("배", "bae"),
    ("남궁", "namgung"),
    ("선우", "sunwoo"),
];

const KOREAN_FEMALE: [Pair; 24] = [
    ("서연", "seoyeon"),
    ("지우", "jiwoo"),
    ("서현", "seohyun"),
    ("민서", "minseo"),
    ("하은", "haeun"),
    ("지민", "jimin"),
    ("수빈", "subin"),
    ("예은", "yeeun"),
    ("지은", "jieun"),
    ("은지", "eunji"),
    ("영희", "younghee"),
    ("미경", "mikyung"),
    ("은주", "eunju"),
    ("현정", "hyunjung"),
    ("유진", "yujin"),
    ("수진", "sujin"),
    ("다은", "daeun"),
    ("채원", "chaewon"),
    ("소영", "soyoung"),
    ("보람", "boram"),
    ("하늘", "haneul"),
    ("정숙", "jungsook"),
    ("혜진", "hyejin"),
    ("나래", "narae"),
];

const KOREAN_MALE: [Pair; 24] = [
    ("민준", "minjun"),
    ("서준", "seojun"),
    ("도윤", "doyoon"),
    ("예준", "yejun"),
    ("시우", "siwoo"),
    ("하준", "hajun"),
    ("주원", "juwon"),
    ("지호", "jiho"),
    ("준서", "junseo"),
    ("현우", "hyunwoo"),
    ("지훈", "jihoon"),
    ("성민", "sungmin"),
    ("정훈", "junghoon"),
    ("동현", "donghyun"),
    ("영수", "youngsoo"),
    ("상훈", "sanghoon"),
    ("재현", "jaehyun"),
    ("승호", "seungho"),
    ("태우", "taewoo"),
    ("민호", "minho"),
    ("진우", "jinwoo"),
    ("기현", "kihyun"),
    ("건우", "gunwoo"),
    ("철수", "chulsoo"),
];

const LATIN_FAMILY: [Pair; 44] = [
    ("Smith", "smith"),
    ("Johnson", "johnson"),
    ("O’Brien", "obrien"),
    ("García", "garcia"),
    ("Müller", "mueller"),
    ("Nguyen", "nguyen"),
    ("Rossi", "rossi"),
    ("Dubois", "dubois"),
    ("Kowalski", "kowalski"),
    ("Andersen", "andersen"),
    ("Tremblay", "tremblay"),
    ("MacDonald", "macdonald"),
    ("Patel", "patel"),
    ("Singh", "singh"),
    ("Silva", "silva"),
    ("van der Berg", "vanderberg"),
    ("Novák", "novak"),
    ("Lindström", "lindstrom"),
    ("Fernández", "fernandez"),
    ("Walker", "walker"),
    ("Campbell", "campbell"),
    ("Reid", "reid"),
    ("Fraser", "fraser"),
    ("Bennett", "bennett"),
    ("Hughes", "hughes"),
    ("Morgan", "morgan"),
    ("Cooper", "cooper"),
    ("Ward", "ward"),
    ("Brooks", "brooks"),
    ("Sanders", "sanders"),
    ("Price", "price"),
    ("Wood", "wood"),
    ("Ross", "ross"),
    ("Henderson", "henderson"),
    ("Coleman", "coleman"),
    ("Jenkins", "jenkins"),
    ("Perry", "perry"),
    ("Long", "long"),
    ("Hayes", "hayes"),
    ("Myers", "myers"),
    ("Ford", "ford"),
    ("Hamilton", "hamilton"),
    ("Graham", "graham"),
    ("Smith-Jones", "smithjones"),
];

const LATIN_FEMALE: [Pair; 26] = [
    ("Emma", "emma"),
    ("Olivia", "olivia"),
    ("Zoë", "zoe"),
    ("Chloé", "chloe"),
    ("Sophia", "sophia"),
    ("Amelia", "amelia"),
    ("Hannah", "hannah"),
    ("Grace", "grace"),
    ("Lucía", "lucia"),
    ("Ingrid", "ingrid"),
    ("Claire", "claire"),
    ("Margaret", "margaret"),
    ("Ruth", "ruth"),
    ("Naomi", "naomi"),
    ("Priya", "priya"),
    ("Anna-Maria", "annamaria"),
    ("Julia", "julia"),
    ("Rebecca", "rebecca"),
    ("Sarah", "sarah"),
    ("Laura", "laura"),
    ("Nora", "nora"),
    ("Elena", "elena"),
    ("Maya", "maya"),
    ("Beatrice", "beatrice"),
    ("Helen", "helen"),
    ("Françoise", "francoise"),
];

const LATIN_MALE: [Pair; 26] = [
    ("Liam", "liam"),
    ("Noah", "noah"),
    ("James", "james"),
    ("William", "william"),
    ("Lucas", "lucas"),
    ("Henry", "henry"),
    ("José", "jose"),
    ("Jürgen", "juergen"),
    ("Daniel", "daniel"),
    ("Owen", "owen"),
    ("Samuel", "samuel"),
    ("Marco", "marco"),
    ("Pierre", "pierre"),
    ("Thomas", "thomas"),
    ("Peter", "peter"),
    ("Andrew", "andrew"),
    ("Arjun", "arjun"),
    ("Björn", "bjorn"),
    ("Michael", "michael"),
    ("Robert", "robert"),
    ("George", "george"),
    ("Frank", "frank"),
    ("Victor", "victor"),
    ("Simon", "simon"),
    ("Patrick", "patrick"),
    ("Hugo", "hugo"),
];

/// A name by lot.
pub(super) fn draw(lots: &mut StdRng, script: Script, gender: Gender) -> Name {
    let female = gender == Gender::Female;
    let (families, given): (&[Pair], &[Pair]) = match (script, female) {
        (Script::Chinese, true) => (&CHINESE_FAMILY, &CHINESE_FEMALE),
        (Script::Chinese, false) => (&CHINESE_FAMILY, &CHINESE_MALE),
        (Script::Korean, true) => (&KOREAN_FAMILY, &KOREAN_FEMALE),
        (Script::Korean, false) => (&KOREAN_FAMILY, &KOREAN_MALE),
        (Script::Latin, true) => (&LATIN_FAMILY, &LATIN_FEMALE),
        (Script::Latin, false) => (&LATIN_FAMILY, &LATIN_MALE),
    };
    // The front of each list holds the commonest names: half of all people share them.
    let common = families.get(..12).unwrap_or(families);
    let families = if chance(lots, 500) { common } else { families };
    let (family, family_latin) = one_of(lots, families);
    let (given, given_latin) = one_of(lots, given);
    let full = match script {
        Script::Chinese | Script::Korean => format!("{family}{given}"),
        Script::Latin => format!("{given} {family}"),
    };
    let salutation = match (script, female) {
        (Script::Chinese, true) => format!("{family}女士"),
        (Script::Chinese, false) => format!("{family}先生"),
        (Script::Korean, _) => format!("{family}{given} 님"),
        (Script::Latin, true) => format!("Ms {family}"),
        (Script::Latin, false) => format!("Mr {family}"),
    };
    Name {
        full,
        latin: format!("{given_latin}.{family_latin}"),
        salutation,
    }
}

/// Where people work: invented, a few of them large.
pub(super) const EMPLOYERS: [(&str, u32); 24] = [
    ("Riverside General Hospital", 9),
    ("Lantern Bay University", 8),
    ("浦江重工集团", 8),
    ("한빛전자", 8),
    ("Northern Ferry Lines", 6),
    ("松江第三中学", 5),
    ("푸른들 은행", 5),
    ("Harbor Insurance", 5),
    ("晨光建筑设计院", 4),
    ("Cedar & Hale Law", 4),
    ("새봄 출판사", 3),
    ("City Library", 3),
    ("云帆软件", 4),
    ("Maple Street School", 3),
    ("한강 물류", 3),
    ("金梧桐酒店", 3),
    ("Tidewater Airlines", 3),
    ("Bright Dental", 2),
    ("银杏中医馆", 2),
    ("소나무 건축", 2),
    ("Copper Kettle Bakery", 1),
    ("明湖茶厂", 2),
    ("Atlas Translation", 1),
    ("Old Town Theatre", 1),
];

/// What people do there.
pub(super) const OCCUPATIONS: [&str; 20] = [
    "nurse",
    "teacher",
    "engineer",
    "accountant",
    "designer",
    "physician",
    "clerk",
    "translator",
    "lawyer",
    "researcher",
    "chef",
    "driver",
    "librarian",
    "architect",
    "programmer",
    "manager",
    "musician",
    "pharmacist",
    "retired",
    "student",
];

/// What people do when they are not here.
pub(super) const HOBBIES: [&str; 14] = [
    "calligraphy",
    "hiking",
    "tea ceremony",
    "photography",
    "badminton",
    "gardening",
    "cycling",
    "baking",
    "watercolor",
    "choir",
    "fishing",
    "board games",
    "swimming",
    "chess",
];
