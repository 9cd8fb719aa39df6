"""What each check of the doctor looks at, and why that matters: for the page, Help, `--explain` and `--json`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explained:
    """A check in words: its name on the page, what is looked at, and why."""

    title: str
    what: str
    why: str


EXPLAINED: dict[str, Explained] = {
    "library": Explained(
        "The library",
        "Whether the folder holds the library that was there last time, and this Shoebox can use it.",
        "Without it nothing is shown, and nothing new is begun in its place.",
    ),
    "settings": Explained(
        "The settings file",
        "Whether /etc/shoebox.toml and the environment can be read and used.",
        "A box that guesses what was meant could keep photos in the wrong place.",
    ),
    "database": Explained(
        "What is written",
        "Every page of the database is read and its parts compared.",
        "Descriptions, tags and people stand in it. A damaged one is restored from the newest backup.",
    ),
    "backups": Explained(
        "Backups",
        "When the database was last copied, and whether the copy is good.",
        "Without a good backup a damaged database costs what people wrote themselves.",
    ),
    "statuses": Explained(
        "Waiting and done",
        "Whether each photo's status is what its jobs say.",
        "With a wrong status a photo waits for ever, or counts as done and is not.",
    ),
    "originals": Explained(
        "Originals",
        "Whether each photo and video is in its place in its full size.",
        "The originals are the one thing that nobody can make again.",
    ),
    "unlisted files": Explained(
        "Files nobody knows",
        "Files among the originals that stand in no list.",
        "They are kept, but no page shows them and no search finds them.",
    ),
    "temporary files": Explained(
        "Left over",
        "What uploads left behind that were cut off.",
        "It takes room on the card, and nothing else.",
    ),
    "thumbnails": Explained(
        "Small pictures",
        "Whether each picture has the small ones that the library shows.",
        "Without them the library shows a name in a picture's place.",
    ),
    "model": Explained(
        "What describes",
        "The model in use is loaded and describes a picture.",
        "If it cannot, photos are kept and wait.",
    ),
    "fit": Explained(
        "As it was chosen",
        "Whether describing had to step down for lack of memory.",
        "It is slower then, or done by a smaller model.",
    ),
    "free space": Explained(
        "Room",
        "How much is free on the library's card or disk.",
        "On a full disk no photo can be kept, and uploads are refused.",
    ),
    "temperature": Explained(
        "Warmth",
        "How warm the processor is.",
        "Above its limit the box rests, and nothing more is described until it is cooler.",
    ),
    "power": Explained(
        "Power",
        "Whether the board had too little voltage since it was started, or slowed down.",
        "With too little power a box stops without warning, and cards are damaged.",
    ),
    "memory": Explained(
        "Memory",
        "How much memory is free, and how much describing may take.",
        "With too little the box steps down to a smaller model, or a photo fails.",
    ),
    "clock": Explained(
        "Clock",
        "Whether a time server has set the clock since the box was started.",
        "A Pi has no clock of its own. Nothing is done at night before the time is known.",
    ),
    "card wear": Explained(
        "Memory card",
        "How much of its life the card has used, where it tells.",
        "A worn-out card turns read-only or loses what is on it.",
    ),
    "board": Explained(
        "Computer",
        "Which computer this is, and how describing was chosen for it.",
        "It explains how quickly photos are described, and by which model.",
    ),
    "services": Explained(
        "Parts of Shoebox",
        "Whether page and worker run, were given up, or were started again by themselves.",
        "A part that ends again and again has a reason, and the box goes without it in the end.",
    ),
    "system disk": Explained(
        "The system's disk",
        "How much is free where the system is, if the library has a disk of its own.",
        "Without room there nothing can be updated, and services fail in odd ways.",
    ),
    "address": Explained(
        "The page",
        "Whether the page answers on its port, and not some other program.",
        "It is the way in for everybody.",
    ),
    "network name": Explained(
        "Its name at home",
        "Whether the box is on a network, and which name it has there.",
        "By its name phones find it, even when the router gives it another number.",
    ),
    "release": Explained(
        "Release",
        "Which release runs, and which are kept.",
        "After an update that did not please one can go back.",
    ),
}
