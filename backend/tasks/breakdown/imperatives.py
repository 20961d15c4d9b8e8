"""Imperatives: word lists that recognise instructions in English and German."""

from __future__ import annotations

# English imperatives.
_ENGLISH = """
accept adapt add adjust agree align allow amend analyse analyze announce answer apply approve archive arrange ask
assemble assess assign attach audit automate back bake benchmark block boil book borrow bring build bump bundle buy
calculate call cancel capture change charge chase check choose chop clarify clean clear click clone close collect
combine commit compare compile complete compose configure confirm connect consult contact convert convince cook
coordinate copy correct count create cut debug decide declare decorate deduplicate define delete deliver demo deploy
describe design determine develop dig disable disconnect discuss do document double-check download draft drain draw
drill drive drop dry e-mail edit email empty enable encrypt enter escalate estimate evaluate examine execute expand
experiment explain explore export extend extract fetch figure file fill filter finalise finalize find finish fix
flag fold follow format forward freeze fry gather generate get give go grab grant group hand hang hire host identify
implement import improve include inform initialise initialize insert inspect install instrument integrate interview
introduce investigate invite join keep knead label launch learn lint list load lock log look mail make map mark
measure meet merge migrate mix mock modify monitor mount move name negotiate note notify onboard open order organise
organize outline pack paint paste patch pay peel perform photograph pick pilot pin ping plan plant play plug polish
port post pour practice practise preheat prepare present press print prioritise prioritize process produce profile
propose prototype provide provision prune publish pull purchase push put rack read reboot rebuild recalculate record
recruit redesign redirect reduce refactor refresh regenerate register rehearse reindex release remove rename renew
rent reorder repair repeat replace reply report reproduce request research reserve reset resize resolve respond
restart restore return revert review revise revoke rewrite rinse roll rotate run sample sand save scaffold scan
schedule search season secure seed select sell send separate serve set settle setup share ship shortlist show sign
simplify sketch slice soak sort sow spec specify spike split stage start stir stop store submit subscribe summarise
summarize survey swap switch sync tag tailor take talk tear tell test tick tidy trace track train transfer translate
trigger trim try tune turn tweak type unblock undo uninstall unlock unpack unplug update upgrade upload use vacuum
validate verify vet visit wait walk warn wash watch water weed wipe wire wrap write zip
"""
# Infinitives at the end of German instructions; longer verbs end in these (ein-richten, organis-ieren).
_GERMAN = """
ieren scannen abholen anfragen anlegen anrufen antworten arbeiten aufräumen bauen beantragen bearbeiten befüllen
beschreiben besorgen besprechen bestellen bestätigen bezahlen bringen buchen bügeln drucken einigen entfernen
entscheiden entwerfen ergänzen erinnern erledigen ermitteln erneuern ersetzen erstellen erweitern fahren festlegen
fegen fertigstellen finden fragen füllen führen geben gehen gießen hängen holen kaufen klären kochen kündigen kürzen
laden lassen legen leeren leihen lernen lesen liefern löschen machen malen mailen melden messen mieten nehmen öffnen
ordnen packen planen prüfen putzen räumen rechnen reinigen richten rufen sammeln schalten schauen schicken schieben
schleifen schließen schneiden schreiben schrauben senden setzen sichern spachteln speichern sperren sprechen spülen
starten stellen stoppen streichen suchen tauschen teilen testen tragen treffen trennen üben übergeben überlegen
übersetzen überweisen umziehen unterschreiben veröffentlichen verbinden vereinbaren vergleichen verkaufen
verschicken verteilen vorbereiten wählen warten waschen wechseln werfen wischen zahlen zählen zeichnen zeigen ziehen
zusammenfassen zusammenstellen abstimmen bereinigen
"""
# German imperatives at the beginning of instructions.
_GERMAN_IMPERATIVES = """
bau baue beantrage bereite beschreibe besorge bestell bestelle bestätige bezahle bitte bring bringe buch buche
definiere dokumentiere druck drucke entferne entscheide entwirf ergänze erledige ermittle erneuere ersetze erstell
erstelle erweitere exportiere frag frage führe füll fülle geh gehe gib gieß gieße hol hole importiere informiere
installier installiere kauf kaufe klär kläre konfiguriere kontaktiere kontrolliere kopiere kündige lad lade leg lege
leere lerne lies lösche mach mache mail meld melde miete mieten miss nimm notiere öffne optimiere ordne organisiere
pack packe plan plane präsentiere probiere prüf prüfe putz putze räum räume recherchiere reinige repariere
reserviere richte ruf rufe sammle schalte schau schaue schick schicke schleife schließ schließe schneide schreib
schreibe sende setz setze sichere sortiere speichere sperre sprich starte stell stelle stoppe streiche such suche
tausche teile teste trag trage triff trenne überlege übersetze überweise unterschreibe validiere verbinde vereinbare
vergleiche verkaufe veröffentliche verschicke verteile wähle warte wasch wasche wechsle wirf wisch wische zahle
zähle zeichne zeige zieh ziehe fasse implementiere analysiere evaluiere aktualisiere archiviere automatisiere
"""
# Verbs of quick steps.
_QUICK = """
ask book buy call check close confirm delete download email invite mail merge note open order pay ping post
print remind rename send tag tell text turn upload abschicken anrufen ausdrucken bestellen bestätigen bezahlen
buchen drucken einladen erinnern fragen kaufen löschen mailen melden öffnen prüfen rufe schicken schicke
senden sende umbenennen
"""
# Verbs of large steps.
_LARGE = """
analyse analyze build design develop draft evaluate implement investigate learn migrate plan prepare prototype
redesign refactor research rewrite study translate write analysieren analysiere ausarbeiten bauen baue entwerfen
entwerfe entwickeln entwickle erforschen evaluieren implementieren implementiere konzipieren lernen migrieren planen
plane recherchieren recherchiere schreiben schreibe übersetzen umbauen untersuchen untersuche vorbereiten
"""
ENGLISH_VERBS = frozenset(_ENGLISH.split())
GERMAN_ENDINGS = tuple(_GERMAN.split())
GERMAN_IMPERATIVES = frozenset(_GERMAN_IMPERATIVES.split())
QUICK_VERBS = frozenset(_QUICK.split())
LARGE_VERBS = frozenset(_LARGE.split())
