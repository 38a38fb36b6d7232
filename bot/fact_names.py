"""Names in a text: people, products, teams, acronyms, told from the words that only begin a sentence."""

# ruff: noqa: E501 - tables and patterns read better unbroken
from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from bot.fact_words import first_name, known_word, plain_word
from bot.facts import Found, keys
from kb.words import stem

_WORD = re.compile(r"[^\W\d_][^\W_]*(?:['+&-][^\W_]+)*[+#]*|\d+[^\W\d_][^\W_]*")
_BEGINS = re.compile(
    r"(?:^|[.!?…:;。！？\n(\[\"“„«*_>|~—–]|\s[-+•]|''|[^\x00-\u02ff\u2000-\u206f\x01])[\s\"'“„«(\[*_]*\Z"
)
_ALIASES = {
    "postgresql": "postgres",
    "k8s": "kubernetes",
    "javascript": "js",
    "typescript": "ts",
    "golang": "go",
    "db": "database",
    "swiss": "switzerland",
    "german": "germany",
    "french": "france",
    "spanish": "spain",
    "dutch": "netherlands",
    "british": "uk",
    "american": "us",
    "usa": "us",
    "european": "europe",
    "danish": "denmark",
    "polish": "poland",
    "swedish": "sweden",
}
_PLAIN_TEXT = """
    i i'm i'll i've i'd ok okay fyi tldr tl dr ps nb btw imo imho lol omg asap aka eg ie etc wow yay hey hi hello howdy
    ahoy arr arrr aye yo yep yes yeah nope no not never always must may should only all any none and or but so very
    really please thanks thank cheers sorry note warning tip heads up important god lord sir madam captain matey mate
    boss team folks friend friends dude y'all ye thou thee thy a an the this that these those it its he she they we you
    my your his her our their who what when where which why how if then than there here now today tomorrow yesterday
    mr mrs ms dr prof st in on at by for from with without to of as is are was were be been do does did has have had
    can cannot could will would shall might nor yet first second third one two three each every both once until
    after before while because although since unless except also just still even again too well let us go get got
    set run use see try ask keep make take put give open close check start stop restart wait call send read write
    remember forget look listen behold lo oh ah uh hmm hm well right alright great good nice sure fine actually
    basically honestly simply quick quickly short long story verily hark alas indeed forsooth
    nothing nobody everyone everybody everything someone anyone anything something people most many some few more less
    another other others either neither nor such same
    them us him me themselves yourself yourselves myself himself herself itself ourselves mine yours hers ours theirs
    whose whoever whatever whenever wherever however whichever among amongst amid between beyond behind beneath beside
    besides above across against along around about as because betwixt despite down during inside into like near off
    onto out outside over past per save since through throughout till towards under underneath unlike until unto up upon
    via within whilst whereas whether lest albeit hence thus therefore moreover furthermore otherwise meanwhile afterwards
    beforehand instead rather quite perhaps maybe sometimes often usually generally normally typically mostly mainly
    nearly almost barely hardly already soon later ago once twice thrice hath doth art wilt shalt mayest nay prithee pray
    ain't gonna gotta wanna lemme yarr argh avast shiver savvy lad lads lass lassie mate mates buddy pal bro sis honey
    dear darling sweetie folk people guys gang crew sirs gentlemen ladies tbh ngl afaik iirc ty np pls plz btw omw
    huh ha haha hehe lol oops whoops yikes ugh phew meh wee yee woo woohoo hooray hurrah yippee bingo voila cool neat
    email e-mail internet web website online api apis url urls ui id ids faq pc os cli sdk
    bigger larger smaller longer shorter higher lower older newer later earlier faster slower heavier lighter fewer
    greater cheaper better worse best worst biggest largest smallest longest latest earliest oldest newest beyond
    b4 gr8 l8r l8 m8 w8 h8 str8 2day 2moro 2nite 4ever u ur pls
    mum mums dad ma pa granny grandma aunt auntie uncle love lovey petal poppet sweetheart soldier sailor comrade
    beep boop bzzt bleep ding dong boom bang pow zap whoosh ta da psst ahem hic arf woof meow
    yer ya yous tha thi thee nah haud wheesht och hoots och bummer dude
    milord milady sire captain cap'n master mistress dearest guv governor chum chap champ chief doc prof
    awesome amazing fantastic lovely perfect brilliant super sweet congrats congratulations welcome bye goodbye
    cheerio farewell greetings rejoice reminder recap summary verdict caveat bonus catch remark
"""
_PLAIN = frozenset(_PLAIN_TEXT.split())
# Words without an article that begin a sentence and are no names: their endings, and some without one.
_MASS_TEXT = """
    access support traffic data software hardware code work help time money food coffee lunch email mail info billing
    feedback content storage memory space music art water paper staff research evidence progress training travel
    root admin production staging development release backup sync login signup logging leave pay rent text chat
    policy management legal finance security marketing sales engineering law custom tradition history docs manual
    handbook guide logic reason rumor rumour legend word truth rule fate fortune luck magic nature wisdom patience
    silence part proof step everything anybody overtime parking wifi internet maintenance downtime uptime
    delivery shipping freight cargo insurance catering postage customs tax rent interest credit cash income profit revenue
    demand supply stock trade travel luggage baggage transport fuel gas petrol electricity power energy heat light sound
    noise smoke fire rain snow weather air oxygen metal wood glass plastic cloth cotton furniture equipment gear clothing
    breakfast lunch dinner tea bread milk sugar salt meat fish fruit rice juice beer wine medicine surgery therapy health
    fitness sleep sport homework knowledge advice news gossip press media television radio traffic crime violence war
    debt wealth poverty trust respect love joy anger fear hope doubt belief faith speed weight height width depth length
    size volume strength quality quantity distance temperature pressure voltage bandwidth throughput latency capacity
    entry exit arrival approval renewal removal withdrawal disposal rental signal payroll overdraft input output feedback
    debug cache cron deploy rollback failover replay retry backfill setup cleanup lockout checkout onboarding offboarding
    encryption decryption hosting caching login logout authorization authentication monitoring alerting
    class court school church prison college hospital university work home office town bed night day noon midnight
    version chapter section page paragraph table figure line room gate floor platform track row seat tier level severity
    priority grade phase stage step option mode model type plan number item article clause annex appendix error code
"""
_MASS = frozenset(_MASS_TEXT.split())
# Plain words that stand before a noun at the beginning of a sentence: "Private cars are", "Keyboard shortcuts are".
_COMMON_TEXT = """
    able active actual additional annual automatic available average bad basic big brief broken busy central certain cheap
    civil clean clear cold commercial common complete complex confidential constant corporate correct critical current daily
    dangerous dark default defective different digital direct domestic dual dry due early easy electric electronic emergency
    empty entire equal essential exact existing expensive expired external extra false fast federal final fixed flexible
    foreign formal former free frequent fresh full general global green guaranteed half hard heavy hidden high historical
    hot hourly huge human ideal idle illegal immediate inactive inbound incoming incorrect individual industrial initial
    inner internal international invalid joint junior key known large late latest left legal light live local logical
    long loose loud low lower main major male manual mandatory maximum medical medium mental mere middle minimum minor
    missing mobile modern monthly multiple narrow national natural necessary negative new next nightly normal numeric
    obsolete occasional odd official old older online open optional ordinary original outbound outgoing outer overdue own
    partial particular past permanent personal physical plain planned pending poor positive possible potential powerful
    practical previous primary prime prior private professional proper public pure quiet random rare raw ready real recent
    red redundant regional registered regular related relevant reliable remaining remote rented required rich right risky
    rough round rural safe same seasonal secondary secret secure senior sensitive separate serious several severe shared
    sharp sick similar single slow small smart social soft solid sound spare special specific stale standard static sticky
    strict strong subsequent successful sudden suitable suspicious tall technical temporary thick thin tight tiny top total
    toxic true typical unique unpaid unused upper urgent useful usual valid valuable verbal vertical visible visual warm
    weak weekly wet white wide wild wireless wooden written wrong yearly young
    account address agency airport alarm amount answer application archive area asset audience audit author baby badge bag
    balance ball bank bar base basement basket battery bed bell belt bicycle bike bill board boat body bonus book bottle
    bottom box brake branch bridge bucket budget bug building bulk bus button cab cabinet cable calendar camera camp
    candidate car card carrier case cash cell chain chair change channel charge chart chemical chief child city claim
    client clinic clock cloud club coach column commit committee community company computer conference connector contact
    contract contractor control cookie copy corner cost council counter country course crane crash crew currency customer
    cycle damage dashboard database date day deadline deal decision desk detail device diagram diesel disk dispute district
    doctor document dog domain door draft drawer driver drug duty earth edge editor employee employer engine engineer
    estate evening event exam expense expert export eye face factor factory family farm father fee feature fee field file
    film filter finger fire flag flight floor flow folder foot force forklift form format fridge friend front fuel function
    fund garage garden gateway girl goal gold government grant ground group guard guest hall hand hazard head header
    helmet hire hobby holiday home hotel hour house icon image import index industry injury inbox inspector instance
    invoice issue job journey judge keyboard kitchen ladder lamp land language laptop launch lawyer layer leader league
    leaf lease lesson letter library licence license lift line link list load loan lock log loop lorry machine mailbox
    manager map market master matter meal meeting member memory menu metric mile mirror module moment monitor month
    morning mother motor mouse movie museum name neighbour network notebook notice number nurse object office officer
    order organ oven owner pack package page paint panel parcel parent park part partner party passenger passport password
    patch patient pattern pension people person phone photo picture pipe place plane plant platform player pocket point
    police pool port position post power president price printer prisoner private probe process product profile program
    programme project property provider pump pupil purchase queue quota radio railway range rate reader reason receipt
    recipe record referral region register release reminder repair reply report request rescue reservation reset result
    reviewer ring risk river road role roof root route router row rule runner sample scale scanner schedule schema school
    score screen script seal search season seat section seller sender sensor series server service session shelf shift
    ship shirt shop shortcut side sign site skill sleeve slot socket source space speaker speed spill spring staircase
    stair stakeholder star start state station stock store storm story street student subject subscriber summer supervisor
    supplier surface switch symbol system table tank target task taxi teacher team template tenant tenancy term terminal
    test theatre thread ticket tier time tool tower town toy track trader trail train tram tree trial trip truck trustee
    tyre unit user utility vacancy vacation van vehicle vendor venue video village visa visitor voice volunteer vote
    voucher wall wallet warehouse warranty waste watch web webhook week weekend wheel wife window winter wire worker
    workshop year zone
    overnight remote carry afternoon alcohol allergy ambulance animal applicant apprentice award bathroom beach bench beverage
    boiler border brand broker canteen carbon carpet ceiling centre citizen classroom clerk coat colleague colour column
    copyright corridor courier court creditor crop curtain dealer debtor deputy donor drain drink drone dust elevator entrance
    envelope exhibit fabric farmer fence finance flat fleet flood flower forest founder frame fraud freelancer gallery gift
    glove grain guardian guide gym harbour harvest heir highway hole hose host infant ingredient instrument intern island jury
    label labour lake landlord lane lecture lecturer lens librarian liquid lobby locker lounge maid mechanic minister mobile
    needle orchard painter pan parade passage path pedestrian pencil pet pharmacist pharmacy pilot pond pump rack rail refugee
    researcher resident restaurant rider rope sand scholar scientist sculpture shelter shoe shower sink soap soldier solicitor
    squad stadium stage stamp steam stone stream studio suit surgeon surplus tailor tap tenant tent throat tile tooth tourist
    towel trail traveller tunnel uniform union vaccine vegetable villager virus waiter walnut ward witness wound yard
"""
_COMMON = frozenset(_COMMON_TEXT.split())
_PLURAL_NOUN = re.compile(
    r"\s+[a-z]{2,}s\s+(?:(?:also|always|never|only|usually)\s+)?(?:are|were|have|had|do|don't|can|can't|cannot|must|may|might|should|"
    r"shall|will|won't|would|need|aren't|weren't|go|get|take|stay|remain|of|for|in|on|at|to|from|with|without|by|that|which|who|"
    r"above|below|over|under|older|larger|longer|more|less|and|or)\b"
)
_MASS_ENDINGS = (
    "ing", "tion", "sion", "ment", "ness", "ity", "ance", "ence", "age", "ure", "ship", "ware", "ics", "cy", "sis",
    "day", "dom", "hood", "ism", "ally", "ly", "ery", "back", "off",
)  # fmt: skip
_SINGULAR_VERB = re.compile(
    r"\s+(?:(?:also|still|now|always|never|usually|only)\s+)?(?:is|was|has|does|will|can|cannot|can't|may|must|should|could|would|isn't|wasn't|"
    r"hasn't|doesn't|won't|owns|[a-z]{2,}(?<!s)s)\b|'s\b|\s+(?:and|or|&)\s+[A-Z][a-z]"
)
_PAST_VERB = re.compile(
    r"\s+(?:[a-z]{2,}ed|wrote|built|made|took|ran|led|left|got|held|kept|gave|went|said|did|set|put)\s"
)
_LOUD = re.compile(r"\b[A-Z]{3,}\b")
# What is called by a letter: "Hall B".
_LETTERED = re.compile(
    r"\b(?:hall|room|block|building|gate|wing|terminal|plan|team|zone|line|group|section|class|category|platform|bay|door|"
    r"tower|appendix|annex|exit|level|tier|deck|entrance|staircase|warehouse|lab|grade|option|type|site|court|dock|pier)\s+\Z",
    re.IGNORECASE,
)
# What a thing of this kind is called, where nothing tells it from two plain words: "the cluster gpu-east".
_IDENTIFIED = re.compile(
    r"\b(?:cluster|host|node|machine|network|region|zone|branch|bucket|queue|topic|namespace|container|repository|repo|"
    r"project|image|tag|label|channel|called|named)\s+[\"'“]?[a-z][a-z0-9]*(?:-[a-z0-9]+)+\Z"
)
_GERMAN = re.compile(
    r"\b(?:der|die|das|und|ist|nicht|ein|eine|mit|für|werden|wird|auf|sich|auch|von)\b", re.IGNORECASE
)
_DETERMINED = re.compile(
    r"\b(?:[dm]e[rsnm]|d[ai]e?s?|ein\w{0,2}|kein\w{0,2}|[mdsu]\w{1,4}er?e?\w?|jed\w{1,2}|dies\w{1,2}|alle\w?|zu[mr]|i[nm]s?|am|vom|beim|ans|"
    r"[a-zäöüß]+(?:e|en|er|es|em))\s+\Z"
)
_GERMAN_ENDINGS = ("ung", "heit", "keit", "schaft", "tion", "tät", "ment", "nis", "ungen", "ionen", "en")


@dataclass(frozen=True, slots=True)
class Evidence:
    """How words are written in all texts at hand: `lower` as plain words, `upper` as names.

    `told` are the names of the draft where it is a rewrite that is read; it is `loud` where most is in
    capitals.
    """

    lower: frozenset[str]
    upper: frozenset[str]
    told: frozenset[str] = frozenset()
    loud: bool = False

    @classmethod
    def of(cls, texts: Sequence[str], draft: str = "") -> Evidence:
        """Read how each word is written inside sentences."""
        found = [_written(text) for text in texts]
        nothing = frozenset[str]()
        return cls(
            nothing.union(*(lower for lower, _ in found)),
            nothing.union(*(upper for _, upper in found)),
            _written(draft)[1],
            len(_LOUD.findall(texts[0])) * 3 > len(texts[0].split()),
        )

    @property
    def families(self) -> frozenset[str]:
        """How the plain words begin, so that their relatives are known."""
        return frozenset().union(*map(_family, self.lower))


@lru_cache(maxsize=256)
def _written(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return which words of a text are written small, and which as names."""
    lower, upper = set[str](), set[str]()
    for word in _WORD.finditer(text):
        written = word.group()
        if written.islower():
            lower.add(_key(written))
        elif written[0].isupper() and not _begins(text, word.start()):
            upper.add(_key(written))
    return frozenset(lower), frozenset(upper)


@lru_cache(maxsize=65_536)
def _family(word: str) -> tuple[str, str]:
    begins = stem(stem(word))
    return begins, begins[: max(5, len(begins) - 2)]


def names(text: str, others: Sequence[str] = (), draft: str = "") -> list[Found]:
    """Return the names in a text from which literals and dates were taken, and its other words as loose ones.

    `others` are texts about the same: they tell whether a word that begins a sentence is a name. `draft` is
    the one that this text says again.
    """
    evidence = Evidence.of((text, *others), draft)
    here = frozenset(_key(word.group()) for word in _WORD.finditer(text))
    german = len(_GERMAN.findall(text)) * 12 > len(text.split())
    return [
        Found(
            shown=word.group(),
            keys=keys(f"name:{_key(word.group())}", *_spelt_out(word.group(), here, others)),
            at=word.start(),
            strict=_is_name(text, word, evidence, german=german) or _is_identifier(text, word),
        )
        for word in _WORD.finditer(text)
    ]


def _is_identifier(text: str, match: re.Match[str]) -> bool:
    """Tell whether a letter or a word with hyphens is what something is called: "Hall B", "the cluster gpu-east"."""
    if len(match.group()) == 1:
        return match.group().isupper() and bool(
            _LETTERED.search(text[max(0, match.start() - 20) : match.start()])
        )
    return "-" in match.group() and bool(_IDENTIFIED.search(text[max(0, match.start() - 20) : match.end()]))


def _spelt_out(word: str, here: frozenset[str], others: Sequence[str]) -> list[str]:
    """Return the key of the last word of what an acronym stands for in another text: LB for load balancer.

    Words that this text has too are not what it stands for.
    """
    if not (2 <= len(word) <= 5 and word.isupper() and word.isascii()):
        return []
    within = r"\w*[\s-]+(?:(?:of|to|and|the|for|in)[\s-]+)?"
    wanted = re.compile(
        rf"\b{within.join(word[:-1])}{within}({word[-1]}\w+)|\b{_joined(word)}\b", re.IGNORECASE
    )
    found = [match[1] or match.group().split()[-1] for other in others for match in wanted.finditer(other)]
    return [f"name:{key}" for one in found if (key := _key(one)) not in here]


def _joined(word: str) -> str:
    """Return what finds words with these initials, small ones counted: TTL for time to live."""
    return r"[\s-]+".join(rf"{letter}\w*" for letter in word)


def _is_name(text: str, match: re.Match[str], evidence: Evidence, *, german: bool) -> bool:
    word = re.sub(r"'s$", "", match.group())
    if (
        len(word) < 2
        or word.casefold() in _PLAIN
        or ("'" in word[1:-1] and word.casefold().split("'")[1] in _CONTRACTED)
    ):
        return False
    if _is_odd(word):
        return True
    if not word[0].isupper():
        return False
    if word.isupper():  # an acronym, or a word said loudly
        if evidence.loud and len(word) > 2 and known_word(re.sub(r"S$", "", word).casefold()):
            return False
        return _key(word) not in evidence.lower and (len(word) <= 5 or _key(word) in evidence.upper)
    begins = _begins(text, match.start())
    if german:
        return (
            not begins
            and not _DETERMINED.search(text[: match.start()])
            and not word.endswith(_GERMAN_ENDINGS)
        )
    if not begins:
        return True
    return _name_at_start(text, match, word, evidence)


_CONTRACTED = frozenset({"m", "ll", "ve", "d", "re", "t", "all", "em"})


def _name_at_start(text: str, match: re.Match[str], word: str, evidence: Evidence) -> bool:
    if _key(word) in evidence.upper:
        return True
    if (
        _key(word) in evidence.lower
        or word.casefold() in _MASS
        or plain_word(word.casefold())
        or _verbal(word)
        or _has_relative(word, evidence)
    ):
        return False
    if "-" in word and word[1:].islower():
        return False  # "Carry-over", "On-call"
    after = text[match.end() :] if not match.group().endswith("'s") else "'s"
    if word.casefold() in _COMMON and _PLURAL_NOUN.match(after):
        return False
    if (following := re.match(r"\s+(?!I\b)([A-Z][a-z][A-Za-z]*)", after)) is not None:
        if _key(following[1]) in evidence.told and known_word(word.casefold()):
            return False  # "Nudge Priya": of the draft's names no more is told here
        return following[1].casefold() not in _PLAIN
    if word.casefold().endswith(_MASS_ENDINGS):
        return False
    plural = word.endswith("s") and not word.endswith("ss") and not first_name(word.casefold())
    return bool(_SINGULAR_VERB.match(after) or (_PAST_VERB.match(after) and not plural)) and not (
        plural and not re.match(r"\s+(?:is|was|has|does)\b", after)
    )


def _has_relative(word: str, evidence: Evidence) -> bool:
    """Tell whether a plain word of the same family is written: "Photography" and "photographs"."""
    begins = stem(stem(word.casefold()))
    begins = begins[: max(5, len(begins) - 2)]
    near = len(begins) > 4 and any(plain.startswith(begins) for plain in evidence.lower)
    return near or (len(begins) > 3 and begins in evidence.families)


def _verbal(word: str) -> bool:
    """Tell whether a word before a name is likely to ask or to place: "Contact Priya", "During Christmas"."""
    return word.casefold() in _VERBS


# What a sentence that asks for something begins with, and what places it: "Contact Priya", "During Christmas".
_VERBS_TEXT = """
    about above accept according across add adjust against allow along apply approve archive around arrange as-of
    assume attach attend avoid back ban behind behold believe below besides bet between beware beyond bid blame block
    boil book boot borrow break bring build bump buy call cancel cap carry change charge choose cite claim clean clear
    click cling clone commit compare compress configure confirm connect contact cook cool copy count create dear
    decline decrease decrypt deduct define delete deliver demand deny deploy deploying describe despite detach disable
    ditch divide donate download dream drink drive drop dry dump during earn eat edit eject email enable encrypt enjoy
    ensure enter escalate exchange expand expect explain export extend extract fancy fear feed fetch file fill filter
    find fire fix flag flip flush fly fold follow forbid force fork format freeze grab grant greet grep guarantee hand
    handle hang hash hate haul head hear hearken heat heed hide hire hit hoist hold hop hope host imagine import
    increase insert inside install instead invite join jump kick know label lead learn leave lend like limit list
    locate lock log lose lost love lower manage mark measure meet mention merge message mind monitor mount move
    multiply name near need note notify offer order organise organize outside over owe pack page pass patch pay per
    permit pick picture ping plan plug plunder pop post praise pray prefer prepare press print protect provide pull
    push quote raise reach rebase reboot recover reduce refund refuse register reinstall reject remove rename renew
    rent replace replay report request rerun reserve reset restart restore restrict retry return review revoke ride
    rollback rotate run running sail save say scan schedule seal select sell serve share ship shorten shout shove shut
    sign sit skip snag speak spend spin stamp stand state stay stick store stow study stuff submit subscribe subtract
    suffer sum supply suppose swap switch sync tag talk tap teach tell test thank thanks through throughout throw tidy
    toss towards trace track treat trigger trim trust tune turn tweak type under uninstall unlike unlock unpack unplug
    unregister unsubscribe update upgrade upload upon use using validate verify via visit walk want wash watch wear
    weigh whisper win wipe wish within wrap
"""
_VERBS = frozenset(_VERBS_TEXT.split())


_CODED = re.compile(r"[a-z]{1,3}\d+s")  # several of a kind: P3s


def _is_odd(word: str) -> bool:
    """Tell whether no plain word is written so: inner capitals, digits among letters, C++."""
    bare = re.sub(r"s$", "", word)
    inner = any(char.isupper() for char in word[1:]) and not bare.isupper() and "-" not in word
    return inner or any(char.isdigit() for char in word) or word[-1] in "+#"


def _begins(text: str, at: int) -> bool:
    """Tell whether a sentence, a line or a quotation begins here."""
    return _BEGINS.search(text[max(0, at - 12) : at]) is not None or not text[:at].strip(" \n*_#>+-\"'([")


@lru_cache(maxsize=65_536)
def _key(word: str) -> str:
    folded = re.sub(r"'(?:s|ll|re|ve|d)?$", "", word.casefold())
    folded = _ALIASES.get(folded, folded).replace("-", "")
    if _CODED.fullmatch(folded):
        return folded[:-1]
    return folded[:-1] if len(folded) > 3 and folded.endswith("s") and not folded.endswith("ss") else folded
