"""Stop words: the most frequent function words of the main languages.

They are indexed like all others, so that "to be or not to be" can be searched; ranking may leave them out where other
words remain.
"""

from __future__ import annotations

from functools import cache, lru_cache

from backend.text.stemming import lexemes_of, primary_tag, written_form

STOP_WORDS = {
    "ar": "في من على إلى عن مع هذا هذه ذلك التي الذي الذين أن إن كان كانت ما لا لم لن أو ثم قد كل هو هي هم نحن أنا بين",
    "ca": "el la els les un una uns unes de del dels a al als en i o que amb per no és ser ha han es se com més aquest",
    "cs": "a i v ve na se si je že s z ze do o k ke by pro po za jako ale to ten ta tato toto který která které "
    "jsou od u",
    "da": "og i at det er en et den til på som de med for af ikke der var har han hun jeg vi du sig fra om så men "
    "eller kan",
    "de": "der die das den dem des ein eine einer eines einem einen und oder aber in im an am auf zu zum zur von "
    "vom mit bei für aus nach über um ist sind war waren wird werden hat haben hatte sein nicht auch als wie "
    "es er sie wir ich du ihr man sich so dass daß wenn noch nur kann durch vor bis unter was wer wo diese "
    "dieser dieses ihre seine",
    "el": "ο η το οι τα του της των τον την και κι σε με για από που να θα δεν είναι στο στη στην στον ως αυτό ένα μια",
    "en": "a about after all also am an and any are as at be because been being but by can could did do does for "
    "from had has have he her here him his how i if in into is it its just me more most my no nor not of on "
    "or our out over she should so some such than that the their them then there these they this those to too "
    "up us very was we were what when where which while who whom why will with would you your",
    "es": "el la los las un una unos unas de del a al en y e o u que por para con sin no se su sus es son ser fue "
    "era ha han lo le les como más pero si este esta estos estas eso esto muy ya también entre sobre hasta "
    "desde cuando me mi yo",
    "fi": "ja on ei että se oli ovat hän en sen mutta tai kun niin kuin myös joka jotka ole olla sekä mukaan voi "
    "nyt vain",
    "fr": "le la les un une des de du au aux à et ou en dans par pour sur avec sans ne pas que qui quoi dont où se "
    "sa son ses ce cet cette ces il elle ils elles on nous vous je tu est sont être été était a ont avoir "
    "plus comme mais si y leur leurs mon ma mes ton ta tes notre votre aussi très même tout",
    "he": "של את על לא הוא היא זה זו כי גם אם או עם כל אני אתה הם אבל יש אין מה מי אל ב ל ה ו",
    "hi": "का के की है में से और को पर यह वह हैं था थे थी एक ने कि भी तो ही या हो नहीं इस उस जो कर",
    "hu": "a az és hogy nem is egy ez azt meg de van volt mint csak még már ha vagy el ki be fel ezt aki ami",
    "id": "yang dan di ke dari ini itu dengan untuk pada adalah tidak dalam akan juga oleh sebagai atau karena bisa "
    "ada",
    "it": "il lo la i gli le un uno una di del dello della dei degli delle a al allo alla ai agli alle da dal dalla "
    "in nel nella con su sul sulla per tra fra e ed o che non si è sono era ha hanno come più ma se anche "
    "questo questa ci mi ne",
    "nl": "de het een en van in op te dat die is was zijn niet met voor aan er om dan ook als bij of uit door naar "
    "over maar nog wel hij zij ze we ik je u heeft hebben had kan wordt worden deze dit tot",
    "no": "og i det er en et den til på som de med for av ikke der var har han hun jeg vi du seg fra om så men "
    "eller kan at",
    "pl": "i w z na do się nie że to jest o jak za po od a ale co tak przez dla są był była było być czy ten ta te "
    "tego który która które oraz już tylko jego jej ich może we ze u lub",
    "pt": "o a os as um uma uns umas de do da dos das em no na nos nas por para com sem e ou que não se seu sua "
    "seus suas é são ser foi era ao aos à às como mais mas isso este esta já também entre sobre até quando me "
    "eu você",
    "ro": "și în a de la cu pe un o al ale este sunt nu că mai din care pentru se fi ca sau dar era au am ce le lui",
    "ru": "и в во не что он на я с со как а то все она так его но да ты к у же вы за бы по ее мне было вот от меня "
    "о из ему для мы их чем была это этот эта эти или если при до быть был были есть также который которая "
    "которые уже ли",
    "sv": "och i att det är en ett den till på som de med för av inte där var har han hon jag vi du sig från om så "
    "men eller kan",
    "tr": "ve bir bu da de için ile o çok ne gibi daha mi mı mu mü ama en olarak var ki olan kadar sonra her ya şu ise",
    "uk": "і й в у не що на я з із як а та це він вона до за по від для ми ви їх але чи бути був була було так "
    "також який",
    "vi": "và là của có cho không được các một những với trong này đã để khi người từ đến như",
}
# Other tags of Norwegian, and the languages whose stop words a text of unknown language may contain.
SAME = {"nb": ("no",), "nn": ("no",), None: ("en", "ru", "el", "ar", "hi", "he")}


def is_stop_word(word: str, language: str | None) -> bool:
    """Tell whether a word, or its lexeme, is a stop word of the language.

    Args:
        word: As written, or a `Token.term`.
        language: BCP 47 tag of the text; None for texts of unknown language.
    """
    words = stop_words(language)
    return word in words or word.lower() in words


@lru_cache(maxsize=256)
def stop_words(language: str | None) -> frozenset[str]:
    """Return the stop words of a language, in lower case, and their lexemes."""
    tag = primary_tag(language)
    words = [word for language in SAME.get(tag, (tag,)) for word in STOP_WORDS.get(language or "", "").split()]
    return frozenset(words).union(map(written_form, words), *(lexemes_of(word, tag) for word in words))


@cache
def stop_words_of_all() -> frozenset[str]:
    """Return the stop words of all languages, and their lexemes."""
    return frozenset().union(*map(stop_words, (None, *STOP_WORDS)))
