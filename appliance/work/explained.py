"""What each check of the doctor looks at, and why that matters: for the page, Help, `--explain` and `--json`."""

from dataclasses import dataclass

from appliance.sentences import say


@dataclass(frozen=True, slots=True)
class Explained:
    """A check in words: its name on the page, what is looked at, and why."""

    title: str
    what: str
    why: str


EXPLAINED: dict[str, Explained] = {
    "library": Explained(
        say("The library"),
        say("Whether the folder holds the library that was there last time, and this Shoebox can use it."),
        say("Without it nothing is shown, and nothing new is begun in its place."),
    ),
    "settings": Explained(
        say("The settings file"),
        say("Whether /etc/shoebox.toml and the environment can be read and used."),
        say("A box that guesses what was meant could keep photos in the wrong place."),
    ),
    "database": Explained(
        say("What is written"),
        say("Every page of the database is read and its parts compared."),
        say("Descriptions, tags and people stand in it. A damaged one is restored from the newest backup."),
    ),
    "backups": Explained(
        say("Backups"),
        say("When the database was last copied, and whether the copy is good."),
        say("Without a good backup a damaged database costs what people wrote themselves."),
    ),
    "statuses": Explained(
        say("Waiting and done"),
        say("Whether each photo's status is what its jobs say."),
        say("With a wrong status a photo waits for ever, or counts as done and is not."),
    ),
    "originals": Explained(
        say("Originals"),
        say("Whether each photo and video is in its place in its full size."),
        say("The originals are the one thing that nobody can make again."),
    ),
    "unlisted files": Explained(
        say("Files nobody knows"),
        say("Files among the originals that stand in no list."),
        say("They are kept, but no page shows them and no search finds them."),
    ),
    "temporary files": Explained(
        say("Left over"),
        say("What uploads left behind that were cut off."),
        say("It takes room on the card, and nothing else."),
    ),
    "thumbnails": Explained(
        say("Small pictures"),
        say("Whether each picture has the small ones that the library shows."),
        say("Without them the library shows a name in a picture's place."),
    ),
    "model": Explained(
        say("What describes"),
        say("The model in use is loaded and describes a picture."),
        say("If it cannot, photos are kept and wait."),
    ),
    "fit": Explained(
        say("As it was chosen"),
        say("Whether describing had to step down for lack of memory."),
        say("It is slower then, or done by a smaller model."),
    ),
    "free space": Explained(
        say("Room"),
        say("How much is free on the library's card or disk."),
        say("On a full disk no photo can be kept, and uploads are refused."),
    ),
    "temperature": Explained(
        say("Warmth"),
        say("How warm the processor is."),
        say("Above its limit the box rests, and nothing more is described until it is cooler."),
    ),
    "power": Explained(
        say("Power"),
        say("Whether the board had too little voltage since it was started, or slowed down."),
        say("With too little power a box stops without warning, and cards are damaged."),
    ),
    "memory": Explained(
        say("Memory"),
        say("How much memory is free, and how much describing may take."),
        say("With too little the box steps down to a smaller model, or a photo fails."),
    ),
    "clock": Explained(
        say("Clock"),
        say("Whether a time server has set the clock since the box was started."),
        say("A Pi has no clock of its own. Nothing is done at night before the time is known."),
    ),
    "card wear": Explained(
        say("Memory card"),
        say("How much of its life the card has used, where it tells."),
        say("A worn-out card turns read-only or loses what is on it."),
    ),
    "board": Explained(
        say("Computer"),
        say("Which computer this is, and how describing was chosen for it."),
        say("It explains how quickly photos are described, and by which model."),
    ),
    "services": Explained(
        say("Parts of Shoebox"),
        say("Whether page and worker run, were given up, or were started again by themselves."),
        say("A part that ends again and again has a reason, and the box goes without it in the end."),
    ),
    "system disk": Explained(
        say("The system's disk"),
        say("How much is free where the system is, if the library has a disk of its own."),
        say("Without room there nothing can be updated, and services fail in odd ways."),
    ),
    "address": Explained(
        say("The page"),
        say("Whether the page answers on its port, and not some other program."),
        say("It is the way in for everybody."),
    ),
    "network name": Explained(
        say("Its name at home"),
        say("Whether the box is on a network, and which name it has there."),
        say("By its name phones find it, even when the router gives it another number."),
    ),
    "release": Explained(
        say("Release"),
        say("Which release runs, and which are kept."),
        say("After an update that does not please one can go back; Help tells how, under Update."),
    ),
}
