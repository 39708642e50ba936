"""Languages that an activity may be held in: ISO 639-1 codes with the name that their speakers use."""

from typing import Final

LANGUAGES: Final[dict[str, str]] = {
    "bg": "Български", "cs": "Čeština", "da": "Dansk", "de": "Deutsch", "el": "Ελληνικά", "en": "English",
    "es": "Español", "et": "Eesti", "fi": "Suomi", "fr": "Français", "ga": "Gaeilge", "hr": "Hrvatski", "hu": "Magyar",
    "is": "Íslenska", "it": "Italiano", "lt": "Lietuvių", "lv": "Latviešu", "mt": "Malti", "nl": "Nederlands",
    "no": "Norsk", "pl": "Polski", "pt": "Português", "ro": "Română", "sk": "Slovenčina", "sl": "Slovenščina",
    "sq": "Shqip", "sr": "Српски", "sv": "Svenska", "uk": "Українська", "ar": "العربية", "bn": "বাংলা", "ckb": "کوردی",
    "fa": "فارسی", "hi": "हिन्दी", "ru": "Русский", "so": "Soomaali", "ti": "ትግርኛ", "tr": "Türkçe", "ur": "اردو",
    "vi": "Tiếng Việt", "zh": "中文",
}  # fmt: skip
