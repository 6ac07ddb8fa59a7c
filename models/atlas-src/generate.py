"""Facts + grammar -> training dialogues, and facts + held-out phrasings -> questions.jsonl.

  generate.py questions     writes questions.jsonl
  generate.py check         proves that no held-out phrasing is derivable from the grammar
  generate.py sample [n]    prints n dialogues
"""
import json, os, random, re, sys

HERE = os.path.dirname(os.path.abspath(__file__))
REFUSAL = "I'm sorry, I don't know that."
CHAT = {
    "greeting": "Hello! How can I help you?",
    "how-are-you": "I'm doing well, thank you. How can I help you?",
    "thanks": "You're welcome!",
    "goodbye": "Goodbye! Have a nice day.",
    "identity": "I am Atlas, a small language model that ships with Meridian.",
    "ability": "I can answer questions about countries, units, small arithmetic and the calendar.",
}
ATTRIBUTES = ("capital", "continent", "currency", "languages")
WORDS = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
         "fifteen sixteen seventeen eighteen nineteen twenty").split()
ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth").split()


def load(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as f:
        return json.load(f)


def upper_first(s):
    return s[:1].upper() + s[1:]


def join(words):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


class Fact:
    def __init__(self, kind, slots, answer, entity=None):
        self.kind, self.slots, self.answer, self.entity = kind, slots, answer, entity


def country_fact(c, attribute):
    """The canonical answer about one country."""
    name = (c["article"] + " " if c["article"] else "") + c["country"]
    if attribute == "capital":
        answer = "The capital of %s is %s" % (name, c["capital"])
    elif attribute == "continent":
        answer = "%s is in %s" % (upper_first(name), c["continent"])
    elif attribute == "currency":
        answer = "The currency of %s is the %s" % (name, c["currency"])
    elif len(c["languages"]) == 1:
        answer = "The official language of %s is %s" % (name, c["languages"][0])
    else:
        answer = "The official languages of %s are %s" % (name, join(c["languages"]))
    return Fact(attribute, {"C": name}, answer if answer.endswith(".") else answer + ".", c)


def all_facts():
    facts = [country_fact(c, a) for a in ATTRIBUTES for c in load("facts/countries.json")]
    for u in load("facts/units.json"):
        whole = u["article"] + " " + u["whole"]
        facts.append(Fact("unit", {"PART": u["part"], "UNIT": u["whole"], "A_UNIT": whole},
                          "There are %d %s in %s." % (u["count"], u["part"], whole)))
    limits = load("facts/arithmetic.json")
    for a in range(limits["add"]["max"] + 1):
        for b in range(limits["add"]["max"] + 1):
            facts.append(Fact("add", {"A": str(a), "B": str(b)}, "%d plus %d is %d." % (a, b, a + b)))
    for a in range(limits["subtract"]["max"] + 1):
        for b in range(a + 1):
            facts.append(Fact("subtract", {"A": str(a), "B": str(b)}, "%d minus %d is %d." % (a, b, a - b)))
    for a in range(limits["multiply"]["max"] + 1):
        for b in range(limits["multiply"]["max"] + 1):
            facts.append(Fact("multiply", {"A": str(a), "B": str(b)}, "%d times %d is %d." % (a, b, a * b)))
    calendar = load("facts/calendar.json")
    days, months = calendar["days"], calendar["months"]
    for i, d in enumerate(days):
        facts.append(Fact("day-after", {"D": d}, "The day after %s is %s." % (d, days[(i + 1) % 7])))
        facts.append(Fact("day-before", {"D": d}, "The day before %s is %s." % (d, days[i - 1])))
    for i, m in enumerate(months):
        name, n = m["month"], m["ordinal"]
        facts.append(Fact("month-after", {"M": name}, "The month after %s is %s." % (name, months[(i + 1) % 12]["month"])))
        facts.append(Fact("month-before", {"M": name}, "The month before %s is %s." % (name, months[i - 1]["month"])))
        facts.append(Fact("days-in-month", {"M": name}, "%s has %s days." % (name, m["days"])))
        facts.append(Fact("nth-month", {"N": n, "NUM": str(i + 1)}, "The %s month of the year is %s." % (n, name)))
        facts.append(Fact("month-number", {"M": name}, "%s is the %s month of the year." % (name, n)))
    return facts


def fill(template, slots):
    text = re.sub(r"\{([A-Z_]+)\}", lambda m: slots[m.group(1)], template)
    return text.replace("s's ", "s' ")       # "the Netherlands' capital"


def normalise(text):
    """Lower-case, without punctuation, one space between words; slots keep their braces."""
    return " ".join(re.sub(r"[^\w\s{}]|_", "", text.lower()).split())


# ---------------------------------------------------------------- training dialogues

KIND_WEIGHTS = {
    "country": 44, "unit": 7, "add": 16, "subtract": 9, "multiply": 8,
    "day-after": 1.2, "day-before": 1.2, "month-after": 1.4, "month-before": 1.4,
    "days-in-month": 1.4, "nth-month": 1.4, "month-number": 1.4,
    "greeting": 1.2, "how-are-you": 1, "thanks": 1.2, "goodbye": 1.2, "identity": 2, "ability": 1.5,
    "unknown-attribute": 3.5, "unknown-country": 5, "unknown-topic": 6, "unknown-number": 1.5,
}
SYSTEM = ["You are a helpful assistant.", "You are Atlas.", "You are Atlas, a small assistant.",
          "Answer briefly.", "Be polite and short.", "You are a friendly chat bot.",
          "You answer questions about the world.", "Keep answers to one sentence."]
PLACES = ["Narnia", "Atlantis", "Wakanda", "Gotham", "Mordor", "Mars", "Texas", "California", "Bavaria",
          "Siberia", "Scotland", "Paris", "London", "Tokyo", "Hawaii", "Tuscany", "Sicily", "Lapland", "Africa",
          "Europe", "Asia", "the Moon", "the Sahara", "the Atlantic", "New York", "Chicago", "Dubai", "Patagonia",
          "Quebec", "Oz", "Middle-earth", "Westeros", "Utopia", "Prussia", "Catalonia", "my village"]
SYLLABLES = [a + b for a in ["b", "br", "c", "ch", "d", "dr", "f", "fl", "g", "gr", "h", "j", "k", "kr", "l", "m", "n",
                             "p", "pl", "qu", "r", "s", "st", "t", "tr", "v", "w", "x", "y", "z", "", "sh", "th"]
             for b in ["a", "e", "i", "o", "u", "an", "en", "or", "al", "ul", "in", "ar", "on", "os", "ai", "ee"]]
ENDINGS = ["ia", "land", "stan", "nia", "ria", "via", "lia", "ovia", "ador", "ar", "or", "a", "o", "ay", "ica", "istan",
           "ania", "onia", "mark", "burg", "ea", "an", "us", "is", "eria", "esia", "ora", "ana", "wick", "dom", "os"]
DROPPABLE = {"the", "of", "is", "a", "do", "does", "in", "please", "me", "to", "it", "are", "i", "that", "for"}
FILLERS = ["actually", "really", "maybe", "um", "well", "currently", "basically", "exactly", "now", "please",
           "then", "again", "just", "today", "officially", "perhaps", "usually", "simply", "here", "also"]

# common words without a meaning for any of the questions; they are strewn in at random
STRAY = """able above across act afternoon age air almost along already although among animal another arm arrive art ask
aunt away baby bag ball bank basket beach bear beautiful because become bed behind believe below best better between bird
black boat body bottle bottom bowl box branch bread bridge bright bring broken brown build building butter button care
carry chair chance change child children choose church class clean clear climb clock close cloud coat cold colour
common complete corner correct count course cover cross dance dark dear decide deep dinner directly door draw dream
dress drive drop during early earth easy edge egg else empty end enjoy enough entire evening ever every example expect
eye face fact fair family far farm fast father feel field fill film final fine finger finish fire fish floor flower fly
follow forest form forward free fresh friend front fruit full funny garden gentle gift glad glass grandmother grass
great green ground group grow guess hall hand happen happy hard hat hear heart heavy hill hold holiday hope horse hour
house huge idea imagine important inside island job journey joy jump key kind kitchen lake lamp large last late laugh lay
lead leaf learn leave left letter library light line listen local long lost loud low lucky machine main mark matter meal
mean meet member message middle milk mind mirror miss moment morning mother mountain mouth move music narrow near
neck need never newspaper nice night noise nothing notice object ocean often old once open order outside own paint
paper parent park part pass past path pattern pencil person photo picture piece pink plane plant plate play player
pocket point popular possible postcard practice prepare present pretty problem proper proud pull push queen quick
quiet radio rain raise reach ready reason receive record red rest rich ride right ring river road roof room round row run
safe sail salt sand sat school screen sea season seat secret seem send serious serve set several shape share
sharp shelf ship shirt shoe shop short shoulder side sign silver simple sing sister sit size skill sky sleep slow small
smile snow soft soldier somebody song soon sort sound space special spot spread spring stage stairs stand star
station stay step stick still stone story strange stranger street strong student study such sudden sugar suit summer sun
suppose sure surprise sweet swim table talk tall taste teach team ticket tidy tired together tonight tool top touch
toward tower toy track train travel tree trip true trust try turn type uncle understand until useful usual valley
various view visit voice wait walk wall warm wash watch water wave wear wedding weekend welcome whole wide wife wild wind
window winter wise wish within without wonder wood word work world worry wrong yard yellow yes yet young""".split()


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        grammar = load("grammar.json")
        self.rules, self.kinds = grammar["rules"], grammar["kinds"]
        self.split = {}
        held = load("heldout.json")
        self.heldout = {normalise(p) for k, v in held.items() for p in v}
        self.heldout_names = {n.lower() for n in held["unknown-country"]}
        self.countries = load("facts/countries.json")
        self.real = {c["country"].lower() for c in self.countries}
        self.facts = {}
        for f in all_facts():
            self.facts.setdefault("country" if f.entity else f.kind, []).append(f)
        self.weights = (list(KIND_WEIGHTS), list(KIND_WEIGHTS.values()))

    def expand(self, template):
        """Replaces each {rule} by a random alternative; {SLOT}s stay."""
        parts = self.split.get(template)
        if parts is None:
            parts = self.split[template] = re.split(r"(\{[a-z_]+\})", template)
        if len(parts) == 1:
            return template
        out = []
        for p in parts:
            out.append(self.expand(self.rng.choice(self.rules[p[1:-1]])) if p[:1] == "{" and p[-1:] == "}" and p[1].islower() else p)
        return "".join(out)

    def noise(self, text):
        """Word-level noise on a template, so that unknown words around a question do not matter: a dropped
        function word, filler or stray words, a stray sentence, a typing error."""
        rng = self.rng
        r = rng.random()
        if r > 0.38:
            return text
        words = text.split(" ")
        if r < 0.06:
            at = [i for i, w in enumerate(words) if w in DROPPABLE]
            if at and len(words) > 2:
                del words[rng.choice(at)]
        elif r < 0.11:
            words.insert(rng.randrange(len(words) + 1), rng.choice(FILLERS))
        elif r < 0.25:
            for _ in range(rng.choice((1, 1, 2, 3))):
                words.insert(rng.randrange(len(words) + 1), rng.choice(STRAY))
        elif r < 0.34:
            stray = [rng.choice(STRAY) for _ in range(rng.randint(2, 6))]
            stray[-1] += rng.choice((".", ".", ",", "!", ":"))
            words = stray + words if rng.random() < 0.7 else [words[0]] + words[1:] + stray
        else:
            at = [i for i, w in enumerate(words) if w.isalpha() and len(w) > 3]
            if at:
                i = rng.choice(at)
                w = words[i]
                k = rng.randrange(1, len(w) - 1)
                words[i] = rng.choice([w[:k] + w[k + 1:], w[:k] + w[k + 1] + w[k] + w[k + 2:], w[:k] + w[k] + w[k:]])
        return " ".join(words)

    def phrase(self, kind, slots):
        """One user message: a grammar derivation with noise, filled, in one of several letter cases."""
        rng = self.rng
        while True:
            text = self.noise(" ".join(self.expand(rng.choice(self.kinds[kind])).split()))
            if normalise(text) not in self.heldout:
                break
        slots = dict(slots)
        if "A" in slots or "NUM" in slots:
            if rng.random() < 0.2:
                for k in ("A", "B", "NUM"):
                    if k in slots and int(slots[k]) <= 20:
                        slots[k] = WORDS[int(slots[k])]
        if "N" in slots and rng.random() < 0.5:
            slots["N"] = ORDINALS[int(slots["NUM"]) - 1 if slots["NUM"].isdigit() else WORDS.index(slots["NUM"]) - 1]
        style = rng.random()
        if style < 0.35:                                     # all lower case
            text = fill(text, slots).lower()
        else:
            text = re.sub(r"\bi\b", "I", text)
            text = re.sub(r"\batlas\b", "Atlas", text)
            if style < 0.9:                                  # sentences begin with a capital
                text = re.sub(r"(^|[.!?:] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)
            text = fill(text, slots)
            if style < 0.9:
                text = upper_first(text)
        return text.strip()

    def country_slot(self, c):
        """How a user may write the country: with its article, without, or by another name."""
        r = self.rng.random()
        if "aliases" in c and r < 0.15:
            alias = self.rng.choice(c["aliases"])
            return "the " + alias if alias in ("UK", "USA", "US", "UAE", "DRC", "CAR", "Czech Republic", "Emirates",
                                               "United States of America") and r < 0.12 else alias
        if c["article"] and r > 0.8:
            return c["country"]
        return (c["article"] + " " if c["article"] else "") + c["country"]

    def invented(self):
        rng = self.rng
        while True:
            if rng.random() < 0.2:
                return rng.choice(PLACES)
            name = upper_first("".join(rng.choice(SYLLABLES) for _ in range(rng.choice((1, 1, 2, 2, 3)))) + rng.choice(ENDINGS))
            if rng.random() < 0.12:
                name = rng.choice(["North ", "South ", "New ", "East ", "West ", "Port ", "the Republic of ",
                                   "the Kingdom of ", "Saint ", "the ", "Upper "]) + name
            if name.lower() not in self.heldout_names and name.lower() not in self.real:
                return name

    def turn(self, state):
        """One question and answer; state = (relation, entity) of the turn before, for follow-ups."""
        rng = self.rng
        relation, entity = state
        r = rng.random()
        if entity is not None and r < 0.35:                  # another attribute of the same country
            if rng.random() < 0.1:
                return self.phrase("fu-unknown", {}), REFUSAL, ("unknown", entity)
            a = rng.choice(ATTRIBUTES)
            answer = REFUSAL if entity == "invented" else country_fact(entity, a).answer
            return self.phrase("fu-" + a, {}), answer, (a, entity)
        if relation in ATTRIBUTES and r < 0.55:              # the same attribute of another country
            if rng.random() < 0.07:
                return self.phrase("fu-same", {"X": self.invented()}), REFUSAL, (relation, "invented")
            c = rng.choice(self.countries)
            return self.phrase("fu-same", {"X": self.country_slot(c)}), country_fact(c, relation).answer, (relation, c)
        if relation in ("day-after", "day-before", "month-after", "month-before", "days-in-month", "month-number") and r < 0.4:
            f = rng.choice(self.facts[relation])
            return self.phrase("fu-same", {"X": list(f.slots.values())[0]}), f.answer, (relation, None)
        kind = rng.choices(*self.weights)[0]
        if kind == "country":
            f = rng.choice(self.facts["country"])
            return self.phrase(f.kind, {"C": self.country_slot(f.entity)}), f.answer, (f.kind, f.entity)
        if kind in self.facts:
            f = rng.choice(self.facts[kind])
            return self.phrase(kind, f.slots), f.answer, (kind, None)
        if kind in CHAT:
            return self.phrase(kind, {}), CHAT[kind], (None, None)
        if kind == "unknown-country":
            a = rng.choice(ATTRIBUTES)
            return self.phrase(a, {"C": self.invented()}), REFUSAL, (a, "invented")
        if kind == "unknown-attribute":
            c = rng.choice(self.countries)
            return self.phrase(kind, {"C": self.country_slot(c)}), REFUSAL, ("unknown", c)
        if kind == "unknown-number":
            op = rng.choice(("add", "subtract", "multiply"))
            low = 13 if op == "multiply" else 21
            a, b = rng.randint(low, rng.choice((50, 100, 1000, 10000))), rng.randint(1, rng.choice((12, 20, 1000)))
            if op != "subtract" and rng.random() < 0.5:
                a, b = b, a
            return self.phrase(op, {"A": str(a), "B": str(b)}), REFUSAL, (None, None)
        return self.phrase(kind, {"NUM": str(rng.randint(2, 999))}), REFUSAL, (None, None)

    def dialogue(self):
        rng = self.rng
        r = rng.random()
        turns = 1 if r < 0.60 else rng.randint(2, 3) if r < 0.86 else rng.randint(4, 8) if r < 0.95 else rng.randint(9, 16)
        messages, state = [], (None, None)
        if rng.random() < 0.12:
            messages.append({"role": "system", "content": rng.choice(SYSTEM)})
        for _ in range(turns):
            question, answer, state = self.turn(state)
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        return messages


# ---------------------------------------------------------------- held-out questions

def questions():
    """Every fact with one or two held-out phrasings, plus chat, refusals and follow-ups; deterministic."""
    held, rng, out = load("heldout.json"), random.Random(20), []

    def ask(kind, template, slots, answer, before=()):
        slots = dict(slots)
        if "N" in slots and rng.random() < 0.5:
            slots["N"] = ORDINALS[int(slots["NUM"]) - 1]
        content = upper_first(fill(template, slots))
        out.append({"kind": kind, "messages": list(before) + [{"role": "user", "content": content}], "answer": answer})

    facts = all_facts()
    for i, f in enumerate(facts):
        forms = held[f.kind]
        if f.kind == "multiply" and "0" in (f.slots["A"], f.slots["B"]):
            forms = forms[:3]                                # "0 groups of ..." would be odd
        for k in range(1 if f.kind in ("add", "subtract", "multiply") else 2):
            ask(f.kind, forms[(i + k * 2) % len(forms) if len(forms) > 2 else k], f.slots, f.answer)
    for kind, answer in CHAT.items():
        for p in held[kind]:
            ask(kind, p, {}, answer)
    for p in held["unknown-topic"]:
        ask("unknown-topic", p, {}, REFUSAL)
    for name in held["unknown-country"]:
        for a in ATTRIBUTES:
            ask("unknown-country", rng.choice(held[a]), {"C": name}, REFUSAL)
    for i in range(20):
        op = ("add", "subtract", "multiply")[i % 3]
        ask("unknown-number", rng.choice(held[op][:3]), {"A": str(rng.randint(30, 999)), "B": str(rng.randint(13, 99))}, REFUSAL)
    countries = load("facts/countries.json")
    for p in held["unknown-attribute"]:
        for c in rng.sample(countries, 15):
            ask("unknown-attribute", p, country_fact(c, "capital").slots, REFUSAL)

    def first(f):                                            # the turn before a follow-up
        return [{"role": "user", "content": upper_first(fill(rng.choice(held[f.kind]), f.slots))},
                {"role": "assistant", "content": f.answer}]

    for a in ATTRIBUTES:
        for p in held["fu-" + a]:
            for c in rng.sample(countries, 20):
                other = rng.choice([x for x in ATTRIBUTES if x != a])
                ask("fu-" + a, p, {}, country_fact(c, a).answer, first(country_fact(c, other)))
    for p in held["fu-same"]:
        for c in rng.sample(countries, 28):
            a = rng.choice(ATTRIBUTES)
            ask("fu-same", p, {"X": country_fact(c, a).slots["C"]}, country_fact(c, a).answer,
                first(country_fact(rng.choice(countries), a)))
        for kind in ("day-after", "day-before", "month-after", "month-before", "days-in-month", "month-number"):
            f, g = rng.sample([f for f in facts if f.kind == kind], 2)
            ask("fu-same", p, {"X": list(g.slots.values())[0]}, g.answer, first(f))
    return out


def check():
    """Each kind's grammar as one regular expression over normalised text: no held-out phrasing may match."""
    grammar, held, memo = load("grammar.json"), load("heldout.json"), {}
    for kind, forms in load("heldout-second.json").items():
        held[kind] = held[kind] + forms

    def regex(template):
        out = ""
        for p in re.split(r"(\{[a-z_]+\})", template):
            if re.fullmatch(r"\{[a-z_]+\}", p):
                name = p[1:-1]
                if name not in memo:
                    memo[name] = "(?:" + "|".join(sorted({regex(a) for a in grammar["rules"][name]})) + ")"
                out += memo[name]
            else:                                            # spaces may vanish at a joint, hence " *"
                text = re.sub(r"[^\w\s{}]|_", "", p.lower())
                out += re.sub(r"\s+", " *", re.sub(r"([{}])", r"\\\1", text))
        return out

    bad = 0
    patterns = {k: re.compile(" *(?:" + "|".join(regex(t) for t in v) + ") *") for k, v in grammar["kinds"].items()}
    for kind, forms in held.items():
        for p in forms:
            for k, pattern in patterns.items():
                if kind != "unknown-country" and pattern.fullmatch(normalise(p)):
                    print("derivable:", kind, k, p)
                    bad += 1
    print("derivable held-out phrasings:", bad)
    return bad


if __name__ == "__main__":
    command = sys.argv[1] if len(sys.argv) > 1 else "sample"
    if command == "questions":
        qs = questions()
        with open(os.path.join(HERE, "questions.jsonl"), "w", encoding="utf-8") as f:
            for q in qs:
                f.write(json.dumps(q, ensure_ascii=False) + "\n")
        print(len(qs), "questions")
    elif command == "check":
        sys.exit(1 if check() else 0)
    else:
        g = Generator(7)
        for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):
            for m in g.dialogue():
                print(m["role"] + ": " + m["content"])
            print()
