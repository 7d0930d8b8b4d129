/* zone_numbers.c - where phone numbers are: prefixes of E.164 by zone, the longest counts.
 *
 * The North American plan shares +1: there the area code decides, and what is not listed is Eastern,
 * where most of its people live. Free and premium numbers have no place. */
#include <stddef.h>
#include <string.h>

#include "common/zone.h"

enum { PREFIX_MAX = 7 };

typedef struct {
    const char *zone;
    const char *prefixes; /* without plus, separated by single spaces */
} place_t;

static const place_t places[] = {
    {"Africa/Cairo", "20"},
    {"Africa/Juba", "211"},
    {"Africa/Casablanca", "212"},
    {"Africa/Algiers", "213"},
    {"Africa/Tunis", "216"},
    {"Africa/Tripoli", "218"},
    {"Africa/Banjul", "220"},
    {"Africa/Dakar", "221"},
    {"Africa/Nouakchott", "222"},
    {"Africa/Bamako", "223"},
    {"Africa/Conakry", "224"},
    {"Africa/Abidjan", "225"},
    {"Africa/Ouagadougou", "226"},
    {"Africa/Niamey", "227"},
    {"Africa/Lome", "228"},
    {"Africa/Porto-Novo", "229"},
    {"Indian/Mauritius", "230"},
    {"Africa/Monrovia", "231"},
    {"Africa/Freetown", "232"},
    {"Africa/Accra", "233"},
    {"Africa/Lagos", "234"},
    {"Africa/Ndjamena", "235"},
    {"Africa/Bangui", "236"},
    {"Africa/Douala", "237"},
    {"Atlantic/Cape_Verde", "238"},
    {"Africa/Sao_Tome", "239"},
    {"Africa/Malabo", "240"},
    {"Africa/Libreville", "241"},
    {"Africa/Brazzaville", "242"},
    {"Africa/Kinshasa", "243"},
    {"Africa/Luanda", "244"},
    {"Africa/Bissau", "245"},
    {"Indian/Chagos", "246"},
    {"Atlantic/St_Helena", "247 290"},
    {"Indian/Mahe", "248"},
    {"Africa/Khartoum", "249"},
    {"Africa/Kigali", "250"},
    {"Africa/Addis_Ababa", "251"},
    {"Africa/Mogadishu", "252"},
    {"Africa/Djibouti", "253"},
    {"Africa/Nairobi", "254"},
    {"Africa/Dar_es_Salaam", "255"},
    {"Africa/Kampala", "256"},
    {"Africa/Bujumbura", "257"},
    {"Africa/Maputo", "258"},
    {"Africa/Lusaka", "260"},
    {"Indian/Antananarivo", "261"},
    {"Indian/Reunion", "262"},
    {"Indian/Mayotte", "262269 262639"},
    {"Africa/Harare", "263"},
    {"Africa/Windhoek", "264"},
    {"Africa/Blantyre", "265"},
    {"Africa/Maseru", "266"},
    {"Africa/Gaborone", "267"},
    {"Africa/Mbabane", "268"},
    {"Indian/Comoro", "269"},
    {"Africa/Johannesburg", "27"},
    {"Africa/Asmara", "291"},
    {"America/Aruba", "297"},
    {"Atlantic/Faroe", "298"},
    {"America/Nuuk", "299"},
    {"Europe/Athens", "30"},
    {"Europe/Amsterdam", "31"},
    {"Europe/Brussels", "32"},
    {"Europe/Paris", "33"},
    {"Europe/Madrid", "34"},
    {"Atlantic/Canary", "34822 34828 34922 34928"},
    {"Europe/Gibraltar", "350"},
    {"Europe/Lisbon", "351"},
    {"Atlantic/Madeira", "351291"},
    {"Atlantic/Azores", "351292 351295 351296"},
    {"Europe/Luxembourg", "352"},
    {"Europe/Dublin", "353"},
    {"Atlantic/Reykjavik", "354"},
    {"Europe/Tirane", "355"},
    {"Europe/Malta", "356"},
    {"Asia/Nicosia", "357"},
    {"Europe/Helsinki", "358"},
    {"Europe/Sofia", "359"},
    {"Europe/Budapest", "36"},
    {"Europe/Vilnius", "370"},
    {"Europe/Riga", "371"},
    {"Europe/Tallinn", "372"},
    {"Europe/Chisinau", "373"},
    {"Asia/Yerevan", "374"},
    {"Europe/Minsk", "375"},
    {"Europe/Andorra", "376"},
    {"Europe/Monaco", "377"},
    {"Europe/San_Marino", "378"},
    {"Europe/Vatican", "379"},
    {"Europe/Kyiv", "380"},
    {"Europe/Belgrade", "381 383"},
    {"Europe/Podgorica", "382"},
    {"Europe/Zagreb", "385"},
    {"Europe/Ljubljana", "386"},
    {"Europe/Sarajevo", "387"},
    {"Europe/Skopje", "389"},
    {"Europe/Rome", "39"},
    {"Europe/Bucharest", "40"},
    {"Europe/Zurich", "41"},
    {"Europe/Prague", "420"},
    {"Europe/Bratislava", "421"},
    {"Europe/Vaduz", "423"},
    {"Europe/Vienna", "43"},
    {"Europe/London", "44"},
    {"Europe/Copenhagen", "45"},
    {"Europe/Stockholm", "46"},
    {"Europe/Oslo", "47"},
    {"Europe/Warsaw", "48"},
    {"Europe/Berlin", "49"},
    {"Atlantic/Stanley", "500"},
    {"America/Belize", "501"},
    {"America/Guatemala", "502"},
    {"America/El_Salvador", "503"},
    {"America/Tegucigalpa", "504"},
    {"America/Managua", "505"},
    {"America/Costa_Rica", "506"},
    {"America/Panama", "507"},
    {"America/Miquelon", "508"},
    {"America/Port-au-Prince", "509"},
    {"America/Lima", "51"},
    {"America/Mexico_City", "52"},
    {"America/Hermosillo", "52622 52662"},
    {"America/Tijuana", "52646 52664 52686"},
    {"America/Ciudad_Juarez", "52656"},
    {"America/Mazatlan", "52667 52669"},
    {"America/Cancun", "52998"},
    {"America/Havana", "53"},
    {"America/Argentina/Buenos_Aires", "54"},
    {"America/Sao_Paulo", "55"},
    {"America/Cuiaba", "5565 5566"},
    {"America/Campo_Grande", "5567"},
    {"America/Rio_Branco", "5568"},
    {"America/Porto_Velho", "5569"},
    {"America/Manaus", "5592 5597"},
    {"America/Boa_Vista", "5595"},
    {"America/Santiago", "56"},
    {"America/Bogota", "57"},
    {"America/Caracas", "58"},
    {"America/Guadeloupe", "590"},
    {"America/La_Paz", "591"},
    {"America/Guyana", "592"},
    {"America/Guayaquil", "593"},
    {"America/Cayenne", "594"},
    {"America/Asuncion", "595"},
    {"America/Martinique", "596"},
    {"America/Paramaribo", "597"},
    {"America/Montevideo", "598"},
    {"America/Curacao", "599"},
    {"Asia/Kuala_Lumpur", "60"},
    {"Australia/Sydney", "61"},
    {"Australia/Melbourne", "613"},
    {"Australia/Brisbane", "617"},
    {"Australia/Adelaide", "618"},
    {"Australia/Perth", "6186 6189"},
    {"Indian/Christmas", "618916"},
    {"Asia/Jakarta", "62"},
    {"Asia/Makassar", "62361 62411"},
    {"Asia/Jayapura", "62967"},
    {"Asia/Manila", "63"},
    {"Pacific/Auckland", "64"},
    {"Asia/Singapore", "65"},
    {"Asia/Bangkok", "66"},
    {"Asia/Dili", "670"},
    {"Pacific/Norfolk", "672"},
    {"Asia/Brunei", "673"},
    {"Pacific/Nauru", "674"},
    {"Pacific/Port_Moresby", "675"},
    {"Pacific/Tongatapu", "676"},
    {"Pacific/Guadalcanal", "677"},
    {"Pacific/Efate", "678"},
    {"Pacific/Fiji", "679"},
    {"Pacific/Palau", "680"},
    {"Pacific/Wallis", "681"},
    {"Pacific/Rarotonga", "682"},
    {"Pacific/Niue", "683"},
    {"Pacific/Apia", "685"},
    {"Pacific/Tarawa", "686"},
    {"Pacific/Noumea", "687"},
    {"Pacific/Funafuti", "688"},
    {"Pacific/Tahiti", "689"},
    {"Pacific/Fakaofo", "690"},
    {"Pacific/Pohnpei", "691"},
    {"Pacific/Majuro", "692"},
    {"Europe/Moscow", "7"},
    {"Asia/Irkutsk", "7301 7395"},
    {"Asia/Chita", "7302"},
    {"Asia/Yekaterinburg", "733 734 735"},
    {"Europe/Samara", "7341 7846"},
    {"Asia/Omsk", "7381"},
    {"Asia/Tomsk", "7382"},
    {"Asia/Novosibirsk", "7383"},
    {"Asia/Novokuznetsk", "7384"},
    {"Asia/Krasnoyarsk", "7390 7391"},
    {"Europe/Kaliningrad", "7401"},
    {"Asia/Yakutsk", "7411"},
    {"Asia/Magadan", "7413"},
    {"Asia/Kamchatka", "7415"},
    {"Asia/Vladivostok", "7421 7423"},
    {"Asia/Almaty", "76 77"},
    {"Asia/Tokyo", "81"},
    {"Asia/Seoul", "82"},
    {"Asia/Ho_Chi_Minh", "84"},
    {"Asia/Pyongyang", "850"},
    {"Asia/Hong_Kong", "852"},
    {"Asia/Macau", "853"},
    {"Asia/Phnom_Penh", "855"},
    {"Asia/Vientiane", "856"},
    {"Asia/Shanghai", "86"},
    {"Asia/Dhaka", "880"},
    {"Asia/Taipei", "886"},
    {"Europe/Istanbul", "90"},
    {"Asia/Kolkata", "91"},
    {"Asia/Karachi", "92"},
    {"Asia/Kabul", "93"},
    {"Asia/Colombo", "94"},
    {"Asia/Yangon", "95"},
    {"Indian/Maldives", "960"},
    {"Asia/Beirut", "961"},
    {"Asia/Amman", "962"},
    {"Asia/Damascus", "963"},
    {"Asia/Baghdad", "964"},
    {"Asia/Kuwait", "965"},
    {"Asia/Riyadh", "966"},
    {"Asia/Aden", "967"},
    {"Asia/Muscat", "968"},
    {"Asia/Gaza", "970"},
    {"Asia/Dubai", "971"},
    {"Asia/Jerusalem", "972"},
    {"Asia/Bahrain", "973"},
    {"Asia/Qatar", "974"},
    {"Asia/Thimphu", "975"},
    {"Asia/Ulaanbaatar", "976"},
    {"Asia/Kathmandu", "977"},
    {"Asia/Tehran", "98"},
    {"Asia/Dushanbe", "992"},
    {"Asia/Ashgabat", "993"},
    {"Asia/Baku", "994"},
    {"Asia/Tbilisi", "995"},
    {"Asia/Bishkek", "996"},
    {"Asia/Tashkent", "998"},
};

static const place_t area_codes[] = {
    {"America/Anchorage", "907"},
    {"America/Anguilla", "264"},
    {"America/Antigua", "268"},
    {"America/Barbados", "246"},
    {"America/Boise", "208 986"},
    {"America/Cayman", "345"},
    {"America/Chicago",
     "205 210 214 217 218 224 225 228 235 251 254 256 262 274 281 308 309 312 314 "
     "316 318 319 320 325 327 331 334 337 346 353 361 402 405 409 414 417 430 432 "
     "447 464 469 479 501 504 507 512 515 531 534 539 557 563 572 573 580 601 605 "
     "608 612 615 618 620 629 630 636 641 651 659 660 662 682 701 708 712 713 715 "
     "726 730 731 737 763 769 773 779 785 806 815 816 817 830 832 847 870 872 901 "
     "903 913 918 920 931 936 938 940 945 952 956 972 975 979 985"},
    {"America/Denver", "303 307 385 406 435 505 575 719 720 748 801 915 970 983"},
    {"America/Dominica", "767"},
    {"America/Edmonton", "368 403 587 780 825"},
    {"America/Grand_Turk", "649"},
    {"America/Grenada", "473"},
    {"America/Halifax", "428 506 782 902"},
    {"America/Jamaica", "658 876"},
    {"America/Los_Angeles",
     "206 209 213 253 279 323 341 350 360 369 408 415 424 425 442 458 503 509 510 "
     "530 541 559 562 564 619 626 628 650 657 661 669 702 707 714 725 738 747 760 "
     "775 805 818 820 831 840 858 909 916 925 949 951 971"},
    {"America/Lower_Princes", "721"},
    {"America/Montserrat", "664"},
    {"America/Nassau", "242"},
    {"America/Phoenix", "480 520 602 623 928"},
    {"America/Port_of_Spain", "868"},
    {"America/Puerto_Rico", "787 939"},
    {"America/Regina", "306 639"},
    {"America/Santo_Domingo", "809 829 849"},
    {"America/St_Johns", "709 879"},
    {"America/St_Kitts", "869"},
    {"America/St_Lucia", "758"},
    {"America/St_Thomas", "340"},
    {"America/St_Vincent", "784"},
    {"America/Toronto",
     "226 249 263 273 289 343 354 365 367 382 416 418 437 438 450 468 514 519 548 "
     "579 581 613 647 683 705 742 753 807 819 873 905 942"},
    {"America/Tortola", "284"},
    {"America/Vancouver", "236 250 257 604 672 778"},
    {"America/Whitehorse", "867"},
    {"America/Winnipeg", "204 431 474 584"},
    {"Atlantic/Bermuda", "441"},
    {"Pacific/Guam", "671"},
    {"Pacific/Honolulu", "808"},
    {"Pacific/Pago_Pago", "684"},
    {"Pacific/Saipan", "670"},
};

/* Free, premium and personal numbers of the North American plan. */
static const char no_place[] =
    "500 521 522 523 524 525 526 527 528 529 532 533 535 538 542 543 544 "
    "545 546 547 549 550 552 553 554 556 558 566 569 577 578 588 589 600 "
    "622 700 710 800 833 844 855 866 877 888 900";

static bool listed(const char *list, const char *digits, size_t n)
{
    for (const char *at = list; *at;) {
        size_t length = strcspn(at, " ");
        if (length == n && strncmp(at, digits, n) == 0) return true;
        at += length;
        while (*at == ' ') at++;
    }
    return false;
}

static const char *find(const place_t *list, size_t count, const char *digits, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        if (listed(list[i].prefixes, digits, n)) return list[i].zone;
    }
    return NULL;
}

static const char *north_american(const char *area)
{
    if (strlen(area) < 3 || listed(no_place, area, 3)) return NULL;
    const char *zone = find(area_codes, sizeof area_codes / sizeof area_codes[0], area, 3);
    return zone ? zone : "America/New_York";
}

const char *pl_zone_of_number(const char *number)
{
    if (number[0] != '+') return NULL;
    const char *digits = number + 1;
    size_t length = strspn(digits, "0123456789");
    if (digits[length] != '\0' || length < 4) return NULL;
    if (digits[0] == '1') return north_american(digits + 1);
    for (size_t n = length < PREFIX_MAX ? length : PREFIX_MAX; n > 0; n--) {
        const char *zone = find(places, sizeof places / sizeof places[0], digits, n);
        if (zone) return zone;
    }
    return NULL;
}
