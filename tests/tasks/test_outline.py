"""Steps read from texts: expected outlines reviewed by eye."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.tasks.breakdown.estimates import estimate
from backend.tasks.breakdown.headings import LONGEST_READ, html_headings, read_markdown_heading
from backend.tasks.breakdown.outline import Subtask, outline_page, outline_task, title_key
from backend.tasks.schemas import TaskIn
from tests.support.cpu_time import least_cpu_seconds

pytestmark = pytest.mark.unit

# Title, description, and the steps with their minutes and, where there is one, their description.
TASKS: dict[str, tuple[str, str, list[tuple[str, int, str]]]] = {
    "checkboxes with points under them": (
        "Move the blog to the new server",
        """We keep the old host until the end of May.

## Steps
- [x] Rent the server
- [ ] Copy the database (45 min)
  - stop the writers first
  - [x] dump
  - [ ] restore
- [ ] Point DNS at the new address
- [ ] **Watch the logs**: errors show up in the first hour or never

## Links
- https://example.org/runbook
""",
        [
            ("Copy the database", 45, "- stop the writers first\n- restore"),
            ("Point DNS at the new address", 30, ""),
            ("Watch the logs", 30, "errors show up in the first hour or never"),
        ],
    ),
    "numbered, German": (
        "Küche streichen",
        """1. Möbel abdecken und Leisten abkleben
2. Löcher spachteln
   - erst groß
   - dann fein
3. Zweimal streichen (3 Stunden)
4. Leisten abziehen
""",
        [
            ("Möbel abdecken und Leisten abkleben", 30, ""),
            ("Löcher spachteln", 60, "- erst groß\n- dann fein"),
            ("Zweimal streichen", 180, ""),
            ("Leisten abziehen", 30, ""),
        ],
    ),
    "an order told in sentences": (
        "Quarterly report",
        "First collect the numbers from sales, then draft the summary and send it to Maria for review. Finally, "
        "publish it on the intranet. It must be out before the 3rd.",
        [
            ("Collect the numbers from sales", 30, ""),
            ("Draft the summary", 60, ""),
            ("Send it to Maria for review", 15, ""),
            ("Publish it on the intranet", 30, "It must be out before the 3rd."),
        ],
    ),
    "an order told in German": (
        "Umzug Lager",
        "Zuerst müssen wir die Regale ausmessen, danach die neuen bestellen. Anschließend Ware sortieren. Zum Schluss "
        "den alten Mietvertrag kündigen.",
        [
            ("Die Regale ausmessen", 30, ""),
            ("Die neuen bestellen", 15, ""),
            ("Ware sortieren", 30, ""),
            ("Den alten Mietvertrag kündigen", 30, ""),
        ],
    ),
    "instructions among remarks": (
        "Rate limiting for the API",
        "The API has none so far. Decide which routes need it. Add a middleware that counts requests per token in "
        "Redis. We should also return Retry-After on refusals. Write tests for the window and document the settings. "
        "Bob said the gateway can do some of this.",
        [
            ("Decide which routes need it", 30, ""),
            ("Add a middleware that counts requests per token in Redis", 30, ""),
            ("Return Retry-After on refusals", 30, ""),
            ("Write tests for the window", 60, ""),
            ("Document the settings", 30, "Bob said the gateway can do some of this."),
        ],
    ),
    "instructions in German": (
        "Steuererklärung",
        "Belege sammeln. Fahrtkosten ausrechnen. Formular ausfüllen und Unterlagen hochladen. Das Finanzamt hat uns "
        "schon zweimal erinnert.",
        [
            ("Belege sammeln", 30, ""),
            ("Fahrtkosten ausrechnen", 30, ""),
            ("Formular ausfüllen", 30, ""),
            ("Unterlagen hochladen", 30, "Das Finanzamt hat uns schon zweimal erinnert."),
        ],
    ),
    "steps in the title": (
        "Trip to Oslo: book flights, reserve a hotel and pack warm clothes",
        "",
        [("Book flights", 15, ""), ("Reserve a hotel", 30, ""), ("Pack warm clothes", 30, "")],
    ),
    "an order in German without a full sentence": (
        "Hausputz",
        "Erst Bad putzen, dann Küche wischen, zum Schluss Müll rausbringen.",
        [("Bad putzen", 30, ""), ("Küche wischen", 30, ""), ("Müll rausbringen", 30, "")],
    ),
    "a mail with a list in it": (
        "Website relaunch",
        """Hi team,

as discussed we relaunch in May. Before that:

* content audit (Lena, 2 days)
* new navigation
    + card sorting
    + prototype
* redirects for the old addresses

Not in scope: the shop.
Cheers""",
        [
            ("Content audit (Lena, 2 days)", 480, ""),
            ("New navigation", 60, "- card sorting\n- prototype"),
            ("Redirects for the old addresses", 30, ""),
        ],
    ),
    "what somebody says of it besides": (
        "Prepare talk",
        "To start, gather three examples. Next, sketch the slides; then rehearse twice. I'd like to be done by Friday.",
        [
            ("Gather three examples", 30, ""),
            ("Sketch the slides", 30, ""),
            ("Rehearse twice", 30, "I'd like to be done by Friday."),
        ],
    ),
    "requests in English": (
        "Deploy",
        "Please update the changelog, tag v2.1 and push it. Make sure to notify support. Don't forget to close the "
        "milestone.",
        [
            ("Update the changelog", 30, ""),
            ("Tag v2.1", 15, ""),
            ("Push it", 30, ""),
            ("Notify support", 30, ""),
            ("Close the milestone", 15, ""),
        ],
    ),
    "a list in Japanese": (
        "新しいサイト",
        "・ドメインを取得する\n・サーバーを用意する\n　・料金を比べる\n・公開する",
        [("ドメインを取得する", 30, ""), ("サーバーを用意する", 45, "- 料金を比べる"), ("公開する", 30, "")],
    ),
    "numbers within a line": (
        "Onboard Chen",
        "Things to do: 1) create accounts 2) order a laptop 3) invite to the weekly meeting",
        [("Create accounts", 30, ""), ("Order a laptop", 15, ""), ("Invite to the weekly meeting", 15, "")],
    ),
    "notes beside steps, and one that is long": (
        "Release 2.4",
        """Notes:
* The changelog is nearly done
* QA is on holiday until 3. Oktober

Steps:
1. Freeze the branch
2. Run the whole suite on the release candidate. The slow browser tests that only run at night are part of it, so start
   before six and compare the timings with those of 2.3.
3. Tag and publish, see [the runbook](https://example.org/runbook)
""",
        [
            ("Freeze the branch", 30, ""),
            (
                "Run the whole suite on the release candidate",
                30,
                "The slow browser tests that only run at night are part of it, so start before six and compare the "
                "timings with those of 2.3.",
            ),
            ("Tag and publish, see the runbook", 15, "https://example.org/runbook"),
        ],
    ),
    "a shopping list with what is struck out": (
        "Garden",
        "- ~~buy soil~~\n- sow carrots\n- water daily\n\nthanks, Eva",
        [("Sow carrots", 30, ""), ("Water daily", 30, "")],
    ),
    "code in a step": (
        "Upgrade PostgreSQL",
        "1. Stop the workers\n2. Dump:\n   ```\n   - pg_dumpall > all.sql\n   ```\n3. Install the new version\n",
        [("Stop the workers", 30, ""), ("Dump", 30, "- pg_dumpall > all.sql"), ("Install the new version", 30, "")],
    ),
    "boxes that are signs, under a heading in Russian": (
        "Переезд",
        "Список:\n☐ собрать вещи\n☑ найти машину\n☐ вернуть ключи",
        [("Собрать вещи", 30, ""), ("Вернуть ключи", 30, "")],
    ),
    "lines without marks": (
        "Weekly review",
        "Inbox zero\nCheck calendar\nUpdate project list\nPlan three priorities",
        [
            ("Inbox zero", 30, ""),
            ("Check calendar", 15, ""),
            ("Update project list", 30, ""),
            ("Plan three priorities", 60, ""),
        ],
    ),
    "a step that comes after something": (
        "Customer call Acme",
        "Prepare the demo environment. They care about SSO and audit logs. After the call, send the notes to Lisa and "
        "update the CRM.",
        [
            ("Prepare the demo environment", 60, "They care about SSO and audit logs."),
            ("After the call, send the notes to Lisa and update the CRM", 30, ""),
        ],
    ),
    "wishes in one sentence": (
        "Learn Rust",
        "I want to read the book, do the rustlings exercises and then port the CLI. Maybe one chapter a day.",
        [
            ("Read the book", 15, ""),
            ("Do the rustlings exercises", 30, ""),
            ("Port the CLI", 30, "Maybe one chapter a day."),
        ],
    ),
    "a plan among friends": (
        "Plan mum's 60th birthday",
        "Find a venue for about 40 people, ask everyone for their dates and send the invitations by the end of March. "
        "Order a cake as well. Dad must not know!",
        [
            ("Find a venue for about 40 people", 30, ""),
            ("Ask everyone for their dates", 15, ""),
            ("Send the invitations by the end of March", 15, ""),
            ("Order a cake as well", 15, "Dad must not know!"),
        ],
    ),
    "numbers with brackets around remarks": (
        "Set up CI for the backend",
        """We need a pipeline before the next release.

1) Lint and type check on every push
2) Run the tests against PostgreSQL 16
   - use a service container
   - cache pip
3) Build the image & push to the registry (1h)

Ask Tom about the registry credentials.""",
        [
            ("Lint and type check on every push", 30, ""),
            ("Run the tests against PostgreSQL 16", 60, "- use a service container\n- cache pip"),
            ("Build the image & push to the registry", 60, ""),
        ],
    ),
    "sections of which one is no work": (
        "Migrate auth to OIDC",
        """## Background
We use sessions today.

## Tasks
- [ ] Register the client with Keycloak
- [ ] Replace the login form
    - [ ] redirect
    - [ ] callback
- [x] Talk to security

## Out of scope
- mobile app""",
        [
            ("Register the client with Keycloak", 30, ""),
            ("Replace the login form", 60, "- redirect\n- callback"),
        ],
    ),
    "numbered, French": (
        "Déménagement",
        "1. Résilier le bail\n2. Trouver un déménageur\n3. Changer l'adresse (poste, banque, impôts)\n"
        "4. Rendre les clés",
        [
            ("Résilier le bail", 30, ""),
            ("Trouver un déménageur", 30, ""),
            ("Changer l'adresse (poste, banque, impôts)", 30, ""),
            ("Rendre les clés", 30, ""),
        ],
    ),
}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_text_gives_a_sensible_outline(name: str) -> None:
    title, description, expected = TASKS[name]
    steps = outline_task(title, description, 20)
    assert steps is not None
    assert [(step.title, step.estimate_minutes, step.description) for step in steps] == expected


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("Fix the login", "Users cannot log in since Monday. The error is a 500."),
        ("Call Ben", ""),
        ("Write the report", "It is about last year. Maria wants it soon."),
        ("Ask about the invoice", "Links:\n- https://example.org/invoice\n- https://example.org/order"),
        ("Termin", "3. Oktober ist Feiertag.\nDa geht es nicht."),
        ("Die Nutzer können Daten exportieren", "Das soll nächste Woche fertig werden. Die Kunden wollen es testen."),
        ("Bug: export fails", "Steps to reproduce:\n1. Open settings\n2. Click export\n\nExpected: a zip."),
        ("", "\n\n---\n***\n"),
        ("Budget 2026", "Each team lead should send numbers by Friday. I will consolidate them. Then we present."),
        ("Search shows what was deleted", "I delete an item\nI search for it at once\nIt still shows up in the list"),
        ("Saving fails", "After I click save, test data appears. Before that, all was well."),
    ],
)
def test_what_names_no_steps_has_none(title: str, description: str) -> None:
    assert outline_task(title, description, 20) is None


def test_where_all_is_ticked_off_nothing_is_left() -> None:
    assert outline_task("Book flights, pack clothes and go", "- [x] a\n- [X] b", 20) == []


def test_there_are_at_most_so_many_and_none_twice() -> None:
    description = "\n".join(f"- step {number}" for number in (1, 1, 2, 3, 4))
    steps = outline_task("x", description, 3)
    assert steps is not None
    assert [step.title for step in steps] == ["Step 1", "Step 2", "Step 3"]


def test_titles_are_compared_without_case_and_marks() -> None:
    assert title_key("Buy *milk*!") == title_key("  buy MILK")
    assert title_key("!!!") != title_key("???")


@pytest.mark.parametrize(
    ("title", "points", "minutes"),
    [
        ("Paint the wall", 0, 30),
        ("Paint the wall", 2, 60),
        ("Call Ben", 0, 15),
        ("Design the schema", 0, 60),
        ("Den Vertrag kündigen", 0, 30),
        ("Ben anrufen", 0, 15),
        ("Konzept schreiben", 0, 60),
        ("Paint the wall (2 h)", 3, 120),
        ("Read for 1,5 Stunden", 0, 90),
        ("Follow up in 2 days", 0, 30),
        ("Sync 7 min", 0, 5),
        ("Rest (5 days)", 0, 480),
        ("Design", 60, 480),
    ],
)
def test_minutes_follow_the_rule(title: str, points: int, minutes: int) -> None:
    assert estimate(title, points) == minutes


PAGE = """<h1>How to set up a VPN</h1><p>x</p><h2>Introduction</h2><h2>What is a VPN?</h2><h2>1. Install the server</h2>
<h3>On Debian</h3><h3>On Fedora</h3><h2>2. Create keys</h2><h2>3. Open the firewall ¶</h2><h2>Conclusion</h2>
<h3>Summary</h3><h2>Related posts</h2>"""
PLAIN = "Before\nStep 1: Sand the boards\nUse fine paper, and take your time.\nStep 2 - Oil them\nThen wait."


@pytest.mark.parametrize(
    ("html", "text", "expected"),
    [
        (
            PAGE,
            "",
            [
                Subtask("Install the server", "- On Debian\n- On Fedora", 60),
                Subtask("Create keys", "", 30),
                Subtask("Open the firewall", "", 15),
            ],
        ),
        (
            "<h1>Sourdough</h1><h2>Prerequisites</h2><h2>Feed the starter</h2><h2>Mix the dough</h2><h2>See also</h2>",
            "",
            [Subtask("Feed the starter", "", 30), Subtask("Mix the dough", "", 30)],
        ),
        (
            "<h2>Einleitung</h2><h2>Schritt 1: Öl ablassen</h2><h2>Schritt 2: Filter tauschen</h2><h2>Fazit</h2>",
            "",
            [Subtask("Öl ablassen", "", 30), Subtask("Filter tauschen", "", 30)],
        ),
        ("<p>a</p>", PLAIN, [Subtask("Sand the boards", "", 30), Subtask("Oil them", "", 30)]),
        ("", "# Title\n## Dig a hole\ntext\n## Plant the tree\n## References", [
            Subtask("Dig a hole", "", 30), Subtask("Plant the tree", "", 30),
        ]),
        ("<h1>News</h1><h2>References</h2><h2>Only this</h2>", "", None),
        ("<h2>What is it?</h2><h2>Why does it matter</h2><h2>Summary</h2>", "", None),
        ("", "", None),
        ("<!-- -->", "Just a text. Nothing in it.", None),
    ],
)  # fmt: skip
def test_the_headings_of_a_page_are_its_steps(html: str, text: str, expected: list[Subtask] | None) -> None:
    assert outline_page(html, text, 20) == expected


@pytest.mark.parametrize(
    "text",
    [
        "- " * 20_000, "1. " * 15_000, "[](" * 15_000, "**" * 20_000, "a, and " * 8_000, "first then " * 5_000,
        "~~" * 20_000, " " * 50_000, "\t- x\n" * 9_000, "x" * 50_000, "*a " * 16_000, "wir müssen " * 4_000,
        "- " + "a " * 25_000, "- [a](b" * 7_000, "# " * 20_000, ("# " + "a " * 500 + "\n") * 50,
    ],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    """As long as descriptions may be."""

    def outline() -> None:
        outline_task(text[:500], text[:50_000], 20)
        outline_page("", text, 20)

    assert least_cpu_seconds(outline) < 1


WRITTEN = st.lists(
    st.one_of(
        st.sampled_from(
            ["- ", "* [x] ", "1. ", "  ", "\n", "**", "[a](b)", "~~", "First ", ", then ", "## ", "```\n", "…"]
        ),
        st.text(max_size=12),
        st.sampled_from(["Call Ben", "Belege sammeln", "2 h", "Links:", "a" * 150]),
    ),
    max_size=40,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(title=WRITTEN, description=WRITTEN)
def test_whatever_is_written_every_step_can_be_a_task(title: str, description: str) -> None:
    for steps in (outline_task(title, description, 5), outline_page(f"<h2>{title}</h2>", description, 5)):
        assert len(steps or []) <= 5
        for step in steps or []:
            made = TaskIn(title=step.title.replace("\0", ""), description=step.description.replace("\0", ""))
            assert len(made.title) <= 130
            assert 5 <= step.estimate_minutes <= 480


@pytest.mark.parametrize("heading", ["# a{}b", "# a #{}#x", "##{}", "# {}", "# a{}¶", "# ¶{}x"])
@pytest.mark.parametrize("filling", [" ", "# ", " #", "\t", "¶", "¶ "])
def test_a_heading_of_any_length_is_read_at_once(heading: str, filling: str) -> None:
    # Before, a tenth of this took longer than anybody waits.
    line = heading.format(filling * 50_000)
    outline_task("t", f"{line}\n- a\n- b", 20)
    outline_page("", f"{line}\n# c\n# d", 20)


@pytest.mark.parametrize("text", ["** {}", "**lead{}", "- **a{}b", "- [{}", "- [a{}", "1. **a**{}."])
@pytest.mark.parametrize("filling", [" ", "[", "**", "-  ", "](", "a](b "])
def test_an_item_of_any_length_is_read_at_once(text: str, filling: str) -> None:
    outline_task("t", text.format(filling * 5_000), 20)


def test_headings_within_headings_are_read_in_part() -> None:
    page = "<h2>x<div>" * 100 + "word " * 20_000 + "</div></h2>" * 100
    headings = html_headings(page)
    assert len(headings) > 1
    assert max(len(one.text) for one in headings) <= LONGEST_READ


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("# a", "a"), ("##  a b  ", "a b"), ("## a ##", "a"), ("# a ## ##", "a ##"), ("# #", "#"), ("# C#", "C"),
        ("   ### a", "a"), ("#a", None), ("####### a", None), ("# ", None),
    ],
)  # fmt: skip
def test_a_markdown_heading_is_what_stands_between_the_signs(line: str, text: str | None) -> None:
    found = read_markdown_heading(line)
    assert (found[0] if found else None) == text
